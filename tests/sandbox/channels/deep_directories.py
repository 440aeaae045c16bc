"""Directories so deep that a recursive cleaner gives up."""

import os

from tools import OUT, SCRATCH


def look():
    return [d for d in (OUT, SCRATCH) if os.path.lexists(f"{d}/deep")] or None


def plant():
    here = os.getcwd()
    os.chdir(SCRATCH)
    os.mkdir("deep")
    os.chdir("deep")
    for _ in range(3000):
        os.mkdir("d")
        os.chdir("d")
    os.chdir(here)
