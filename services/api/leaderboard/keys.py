"""The order of a board, and the cursors that keep a reader's place in it."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.api.kit.cursors import Cursors, Value

__all__ = ["Key", "decode", "encode"]


class Key(NamedTuple):
    """Sorts as the board does: the better score first, then the earlier submission."""

    negative_score: float
    submitted_at: datetime
    entry_id: UUID


def encode(cursors: Cursors, listing: str, moment: datetime, last: Key) -> str:
    """Write a cursor: the moment whose board is read, and the last key on the page."""
    values: list[Value] = [moment.isoformat(), last.negative_score, last.submitted_at.isoformat(), str(last.entry_id)]
    return cursors.encode(listing, values)


def decode(cursors: Cursors, listing: str, cursor: str) -> tuple[datetime, Key]:
    """Read a cursor back; every page shows the board as it was for the first. Raises BadCursor."""
    moment, negative_score, submitted_at, entry_id = map(str, cursors.decode(listing, cursor))
    key = Key(float(negative_score), datetime.fromisoformat(submitted_at), UUID(entry_id))
    return datetime.fromisoformat(moment), key
