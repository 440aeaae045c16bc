"""Temporary directories for local runs. A run removes its directory; if it was killed, the next run removes it.

Each directory contains a lock file, which the run's process holds. A sweep may find a new directory and take its lock
before its owner does; the owner notices this and creates another directory. The lock file is removed last, so a process
killed during removal leaves either a lock file, which the next sweep takes, or an empty directory.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from services.core.locks import attempt

__all__ = ["workplace"]

LOCK = "in-use.lock"
SUFFIX = "?" * 8  # what tempfile.mkdtemp appends


@contextmanager
def workplace(parent: Path, prefix: str) -> Iterator[Path]:
    """Create a directory in `parent` and hold it until the block ends; first remove directories that nobody holds."""
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.resolve().glob(f"{prefix}-{SUFFIX}/"):
        if not left.is_symlink():
            _sweep(left)
    with ExitStack() as stack:
        yield _move_in(parent.resolve(), prefix, stack)


def _move_in(parent: Path, prefix: str, stack: ExitStack) -> Path:
    """Create a directory, hold it until the stack closes, then remove it."""
    while True:
        work = Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=parent))
        with suppress(FileNotFoundError):  # swept while it was still empty
            if stack.enter_context(attempt(work / LOCK)):
                stack.callback(_clear_away, work)
                return work


def _sweep(left: Path) -> None:
    with suppress(OSError):  # removed just now, or another user's, or not ours: without a lock file but not empty
        if not (left / LOCK).exists():
            left.rmdir()
            return
        with attempt(left / LOCK) as ours:
            if ours:
                _clear_away(left)


def _clear_away(work: Path) -> None:
    for path in work.glob("*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != LOCK:
            with suppress(OSError):
                path.unlink()
    shutil.rmtree(work, ignore_errors=True)
