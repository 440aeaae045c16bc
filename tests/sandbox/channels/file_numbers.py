"""The next inode number of a directory in memory counts the files of all seeds."""

import os

from tools import OUT, SCRATCH


def look():
    return [d for d in (OUT, SCRATCH, "/dev/shm") if _next(d) > 4000] or None


def plant():
    for directory in (OUT, SCRATCH, "/dev/shm"):
        for _ in range(5000):
            _next(directory)


def _next(directory):
    opened = os.open(f"{directory}/numbered", os.O_CREAT | os.O_WRONLY)
    number = os.fstat(opened).st_ino
    os.close(opened)
    os.unlink(f"{directory}/numbered")
    return number
