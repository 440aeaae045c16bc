"""Directories that other users of the machine cannot enter."""

import os
import stat
from pathlib import Path

__all__ = ["private_directory"]

PRIVATE = 0o700


def private_directory(path: Path) -> Path:
    """Create a directory that only its owner may enter, or close one that exists; return it.

    What lies in it may stay readable: a sandbox that runs as another user has single files and directories mounted. A
    directory of another user, and one that is meant for all users (sticky, as /tmp), stay as they are.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=PRIVATE, exist_ok=True)
    status = path.stat()
    is_open = status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    if is_open and status.st_uid == os.geteuid() and not status.st_mode & stat.S_ISVTX:
        path.chmod(PRIVATE)
    return path
