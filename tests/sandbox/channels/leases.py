"""A lease on the submission's file."""

# weak: only the owner of a file may take a lease
import fcntl
import os

from tools import leave_running


def look():
    opened = os.open(__file__, os.O_RDONLY)
    held = fcntl.fcntl(opened, fcntl.F_GETLEASE)
    os.close(opened)
    return held if held != fcntl.F_UNLCK else None


def plant():
    leave_running(lambda: fcntl.fcntl(os.open(__file__, os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK))
