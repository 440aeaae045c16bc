"""A directory for one local run, gone with it. A run that was killed leaves its own; the next run clears that away."""

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

__all__ = ["workplace"]

LOCK = "in-use.lock"


@contextlib.contextmanager
def workplace(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a directory in `parent`, held for as long as the block lasts; first remove those that nobody holds."""
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.resolve().glob(f"{prefix}-*"):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, BlockingIOError), _held(left):
            shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=parent.resolve()))
    (work / LOCK).touch()
    try:
        with _held(work):
            yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextlib.contextmanager
def _held(work: Path) -> Iterator[IO[str]]:
    """Lock a directory. Raises FileNotFoundError for one that is just being made, BlockingIOError for a held one."""
    with (work / LOCK).open("r") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file
