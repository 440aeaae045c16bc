"""A directory for one local run, gone with it. A run that was killed leaves its own; the next run clears that away.

Each has a lock in it, held by the process that lives there. A sweep may come upon one that was just made and take the
lock before its owner does; the owner notices and makes another. The lock goes last: who is killed while clearing away
leaves either a lock, for the next sweep to take, or an empty directory.
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
    """Make a directory in `parent`, held for as long as the block lasts; first remove those that nobody holds."""
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.resolve().glob(f"{prefix}-{SUFFIX}/"):
        if not left.is_symlink():
            _sweep(left)
    with ExitStack() as stack:
        yield _move_in(parent.resolve(), prefix, stack)


def _move_in(parent: Path, prefix: str, stack: ExitStack) -> Path:
    """Make a directory, hold it until the stack closes, and clear it away then."""
    while True:
        work = Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=parent))
        with suppress(FileNotFoundError):  # swept while it was still empty
            if stack.enter_context(attempt(work / LOCK)):
                stack.callback(_clear_away, work)
                return work


def _sweep(left: Path) -> None:
    with suppress(OSError):  # cleared away just now, or another user's, or none of ours: not empty, without a lock
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
