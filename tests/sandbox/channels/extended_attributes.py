"""Extended attributes of a directory that every seed gets."""

# weak: the profile refuses the calls
import os

from tools import directories

NAMES = ("user.left", "trusted.left", "security.left")


def look():
    seen = []
    for directory in directories():
        try:
            seen += [f"{directory} {n}" for n in os.listxattr(directory) if n in NAMES]
        except OSError:
            continue
    return seen or None


def plant():
    for directory in directories():
        for name in NAMES:
            try:
                os.setxattr(directory, name, b"1")
            except OSError:
                continue
