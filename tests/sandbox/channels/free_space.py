"""Space used by an open file without a name."""

import os

from tools import OUT, SCRATCH, leave_running


def look():
    return [d for d in (OUT, SCRATCH, "/dev/shm") if _used(d) > 2**22] or None


def plant():
    for _ in range(8):
        opened = os.open(f"{SCRATCH}/space", os.O_CREAT | os.O_WRONLY)
        os.unlink(f"{SCRATCH}/space")
        os.write(opened, b"x" * 2**20)
    leave_running()


def _used(directory):
    status = os.statvfs(directory)
    return (status.f_blocks - status.f_bfree) * status.f_frsize
