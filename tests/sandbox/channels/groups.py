"""The group of a directory that every seed gets."""

# weak: the launcher itself may not give files away
import os

from tools import directories


def look():
    return [d for d in directories() if os.stat(d).st_gid == 4242] or None


def plant():
    for directory in directories():
        try:
            os.chown(directory, -1, 4242)
        except OSError:
            continue
