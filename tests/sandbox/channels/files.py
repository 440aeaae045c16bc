"""A file in every directory that takes one."""

import os

from tools import directories


def look():
    return [d for d in directories() if os.path.lexists(f"{d}/left")] or None


def plant():
    for directory in directories():
        try:
            open(f"{directory}/left", "w").close()
        except OSError:
            continue
