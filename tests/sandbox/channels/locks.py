"""A lock on a file that every seed may open, held by a process that stays."""

import fcntl
import os

from tools import directories, leave_running


def _paths():
    return [p for p in ("/etc/passwd", "/dev/null", "/usr/bin/env", __file__, *directories()) if os.path.exists(p)]


def look():
    locked = []
    for path in _paths():
        opened = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            locked.append(path)
        except OSError:
            pass
        finally:
            os.close(opened)
    return locked or None


def plant():
    def lock():
        for path in _paths():
            fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)

    leave_running(lock)
