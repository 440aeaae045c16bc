"""Take space beyond the limit of a file's size without writing, by every mode of fallocate and for unlinked files."""
# weak: the profile refuses the calls

import ctypes
import os
import resource

from tools import OUT, SCRATCH, libc

TAKEN = 2**26
MODES = {"plain": 0, "beyond the end": 1, "zeros": 0x10, "zeros beyond the end": 0x11, "unshared": 0x40}


def attempt():
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    taken = []
    for directory in (OUT, SCRATCH, "/dev/shm", "/var/tmp", "/"):
        for name, mode in MODES.items():
            try:
                opened = os.open(f"{directory}/allocated", os.O_CREAT | os.O_RDWR)
            except OSError:
                continue
            os.unlink(f"{directory}/allocated")
            done = libc.fallocate(opened, mode, ctypes.c_long(0), ctypes.c_long(TAKEN))
            if done == 0 and os.fstat(opened).st_blocks * 512 > (limit if 0 < limit < TAKEN else TAKEN // 2):
                taken.append(f"{directory}: {name}")
            os.close(opened)
    return taken
