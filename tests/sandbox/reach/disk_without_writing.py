"""Take space beyond the limit of a file's size, which fallocate does without writing."""
# weak: the profile refuses the calls

import os

from tools import SCRATCH, libc


def attempt():
    opened = os.open(f"{SCRATCH}/allocated", os.O_CREAT | os.O_RDWR)
    taken = libc.fallocate(opened, 1, __import__("ctypes").c_long(0), __import__("ctypes").c_long(2**30))
    blocks = os.fstat(opened).st_blocks * 512
    os.close(opened)
    os.unlink(f"{SCRATCH}/allocated")
    return blocks if taken == 0 and blocks > 2**28 else None
