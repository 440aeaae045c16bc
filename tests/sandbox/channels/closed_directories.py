"""A directory without rights, which a careless cleaner cannot list."""

import os

from tools import directories


def look():
    return [d for d in directories() if os.path.lexists(f"{d}/closed")] or None


def plant():
    for directory in directories():
        try:
            os.makedirs(f"{directory}/closed/in/it")
            os.chmod(f"{directory}/closed", 0)
        except OSError:
            continue
