"""Room on a disk: what is asked before much is written, and what a full disk is called."""

import errno
import shutil
from pathlib import Path

from services.core.errors import LetheError

__all__ = ["KEPT_FREE_BYTES", "NoRoom", "is_full", "require_room"]

KEPT_FREE_BYTES = 1024**3  # for the database, logs and submissions, which must go on


class NoRoom(LetheError):
    """A disk has too little free space."""

    code = "no_room"
    status = 507


def require_room(place: Path, needed_bytes: int, what: str) -> None:
    """Raise NoRoom unless the disk of a place, or of its next parent, holds so much more and some is left."""
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed_bytes + KEPT_FREE_BYTES:
        raise NoRoom(
            f"{what} needs {needed_bytes / 1e9:.2f} GB, and {KEPT_FREE_BYTES / 1e9:.1f} GB must stay free, but the "
            f"server has {free / 1e9:.2f} GB. Ask an operator to free some space, then go on."
        )


def is_full(error: BaseException) -> bool:
    """Tell whether an error is that of a full disk or quota, in its own words if it has no number."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return any(words in str(error) for words in ("os error 28", "os error 122", "No space left on device"))
