"""Read or change the launcher's memory by every way that the kernel offers."""
# weak: the launcher guards itself

import ctypes
import os

from tools import call, parents

READV, WRITEV, PTRACE, KCMP, PIDFD_OPEN, PIDFD_GETFD, MADVISE = 310, 311, 101, 312, 434, 438, 440


def attempt():
    ways = []
    page = ctypes.create_string_buffer(8)
    vector = ctypes.create_string_buffer(ctypes.addressof(page).to_bytes(8, "little") + (8).to_bytes(8, "little"), 16)
    for process in parents():  # what is written was read there a moment before
        for file in ("mem", "environ", "maps", "auxv", "syscall", "stack", "pagemap", "clear_refs"):
            try:
                ways += [f"{process}/{file}"] if open(f"/proc/{process}/{file}", "rb").read(1) else []
            except (OSError, ValueError):
                continue
        address = ctypes.addressof(vector)
        ways += [n for n in (READV, WRITEV) if call(n, process, address, 1, address, 1, 0)[0] > 0]
        ways += ["ptrace"] if call(PTRACE, 0x4206, process, 0, 0)[0] == 0 else []
        ways += ["kcmp"] if call(KCMP, os.getpid(), process, 1, 0, 0)[0] >= 0 else []
        descriptor = call(PIDFD_OPEN, process, 0)[0]
        if descriptor >= 0:
            ways += ["getfd"] if call(PIDFD_GETFD, descriptor, 0, 0)[0] >= 0 else []
            os.close(descriptor)
    return ways
