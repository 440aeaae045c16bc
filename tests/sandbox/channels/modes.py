"""The mode of a directory that every seed gets."""

import os

from tools import directories


def look():
    return [d for d in directories() if os.stat(d).st_mode & 0o7777 == 0o2715] or None


def plant():
    for directory in directories():
        try:
            os.chmod(directory, 0o2715)
        except OSError:
            continue
