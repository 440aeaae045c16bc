"""Locks between processes, held on open files: when a process dies, however it dies, the kernel releases its locks.

Nothing here waits: if another process holds a lock, the caller learns it at once.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from services.core.errors import LetheError

__all__ = ["attempt", "exclusive"]


@contextmanager
def exclusive(path: Path, refusal: LetheError) -> Iterator[None]:
    """Lock a file for one process, creating it if needed. Raises `refusal` at once if another process holds it."""
    with attempt(path) as held:
        if not held:
            raise refusal
        yield


@contextmanager
def attempt(path: Path) -> Iterator[bool]:
    """Try to lock a file, creating it if needed, and tell whether that worked.

    The holder may remove the file as its last act. Raises FileNotFoundError if the directory no longer exists.
    """
    while True:
        with path.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            if _names(path, file):
                yield True
                return


def _names(path: Path, file: IO[bytes]) -> bool:
    """Tell whether a path still leads to an open file: its holder may have removed it before we got the lock."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
