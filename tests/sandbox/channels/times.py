"""The times of a directory or file, set far into the future."""

import os

from tools import directories

FUTURE = 4_000_000_000


def _paths():
    return [*directories(), "/dev/null", "/dev/zero", "/dev/urandom", "/dev/ptmx", "/etc/hostname", __file__]


def look():
    seen = [p for p in _paths() if os.path.exists(p)]
    return [p for p in seen if max(os.stat(p).st_atime, os.stat(p).st_mtime) >= FUTURE] or None


def plant():
    for path in _paths():
        try:
            os.utime(path, (FUTURE, FUTURE))
        except OSError:
            continue
