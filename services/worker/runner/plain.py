"""Opens a file that a participant's code may have put there: a regular one, or none."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

__all__ = ["open_plain"]


def open_plain(path: Path | str, *, directory: int | None = None) -> BinaryIO:
    """Open a regular file for reading, once, without following links or waiting. Raises OSError.

    The path may be relative to an open directory.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)  # which fdopen does not do with a directory's
    raise OSError(None, "not a regular file")
