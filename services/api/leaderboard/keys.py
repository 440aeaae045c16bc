"""The cursors that keep a reader's place in a leaderboard."""

from datetime import datetime

from services.api.kit.cursors import Cursors

__all__ = ["decode", "encode"]


def encode(cursors: Cursors, listing: str, moment: datetime, position: int) -> str:
    """Write a cursor: the moment of the leaderboard, and the position of the last entry on the page."""
    return cursors.encode(listing, [moment.isoformat(), position])


def decode(cursors: Cursors, listing: str, cursor: str) -> tuple[datetime, int]:
    """Read a cursor back, so that every page shows the same moment as the first. Raises BadCursor."""
    moment, position = cursors.decode(listing, cursor)
    return datetime.fromisoformat(str(moment)), int(str(position))
