"""Locks between processes, held on open files: the kernel gives one back when its process dies, however it dies.

Nobody waits here. Who wants a lock that another process has is told at once.
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
    """Hold a file, made if need be, for one process alone. Raises `refusal` at once when another has it."""
    with attempt(path) as held:
        if not held:
            raise refusal
        yield


@contextmanager
def attempt(path: Path) -> Iterator[bool]:
    """Hold a file, made if need be, unless another process does, and say whether it worked.

    The holder may remove the file, last of all that it does. Raises FileNotFoundError where its directory is gone.
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
    """Whether a path still leads to an open file: its holder may have removed it before we had the lock."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
