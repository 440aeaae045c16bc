"""Cells: the place in which one seed runs. Nothing that a seed leaves there, or learns there, reaches another seed.

Theory of operation. The launcher opens a cell, forks the seed's process into it, waits, ends what is left in it, takes
the checkpoint and the failure note out, and closes it. To take out means to copy a plain file of bounded
size; nobody ever walks through what a participant made, because a cell disappears as a whole.

There are two kinds: `isolated.py` for containers, and `folders.py` for the process sandbox.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.worker.runner.plain import open_plain

__all__ = ["Cells", "Shelf", "Takings"]

MAX_NOTE_BYTES = 128 * 1024


class Cells(Protocol):
    """Opens one cell after another. The methods are called in this order for every seed."""

    def open(self) -> None:
        """Make a new cell. Called in the launcher."""

    def enter(self) -> None:
        """Move this process into the open cell for good. Called in the seed's process, before a participant's code."""

    def end_processes(self) -> None:
        """End every process that is left in the cell. Called in the launcher."""

    def take(self, token: str) -> "Takings":
        """Copy the checkpoint and the note out of the cell. Called in the launcher, when nobody else is left in it."""
        ...

    def close(self) -> None:
        """Remove the cell with everything in it. Called in the launcher."""


@dataclass(frozen=True, slots=True)
class Takings:
    """What was found in a cell's output directory."""

    checkpoint: bool  # a plain file of the right size was copied
    bad: str | None  # why a file of that name was not copied
    full: bool  # the seed used up the directory's bytes or inodes


class Shelf:
    """The directory outside all cells where the supervisor finds checkpoints and notes."""

    def __init__(self, directory: Path, checkpoint_bytes: int) -> None:
        self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._checkpoint_bytes = checkpoint_bytes

    def take(self, out: int, token: str) -> tuple[bool, str | None]:
        """Copy from the open directory `out`; return whether there was a checkpoint, and why it was left there."""
        self._copy(out, f"{token}.note", MAX_NOTE_BYTES)
        bad = self._copy(out, token, self._checkpoint_bytes, exactly=True)
        return bad == "", bad or None

    def _copy(self, out: int, name: str, limit: int, *, exactly: bool = False) -> str | None:
        """Copy one file; return "" if that worked, None if there is no such file, or what is wrong with it."""
        try:
            file = open_plain(name, directory=out)
        except FileNotFoundError:
            return None
        except OSError:
            return "the checkpoint is not a regular file"
        with file:
            source, status = file.fileno(), os.fstat(file.fileno())
            if status.st_nlink != 1:
                return "the checkpoint is not a regular file"
            if exactly and status.st_size != limit:
                return f"the checkpoint is {status.st_size:,} bytes; expected {limit:,} bytes"
            place = os.open(
                name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode=0o644, dir_fd=self._directory
            )
            with os.fdopen(place, "wb") as copy:
                left = min(limit, status.st_size)
                while left and (sent := os.sendfile(place, source, None, left)):
                    left -= sent
                copy.flush()
        return ""
