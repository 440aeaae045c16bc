"""The cursors that keep a reader's place in a leaderboard."""

from datetime import datetime
from uuid import UUID

from services.api.kit.cursors import Cursors, Value
from services.core.board.order import Place, Submitted

__all__ = ["decode", "encode"]


def encode(cursors: Cursors, listing: str, moment: datetime, last: Place) -> str:
    """Write a cursor: the moment of the leaderboard, and the place of the last entry on the page."""
    submitted = last.submitted
    values: list[Value] = [moment.isoformat(), last.negative_score]
    return cursors.encode(listing, [*values, submitted.at.isoformat(), str(submitted.submission_id)])


def decode(cursors: Cursors, listing: str, cursor: str) -> tuple[datetime, Place]:
    """Read a cursor back, so that every page shows the same moment as the first. Raises BadCursor."""
    moment, negative_score, submitted_at, submission_id = map(str, cursors.decode(listing, cursor))
    submitted = Submitted(datetime.fromisoformat(submitted_at), UUID(submission_id))
    return datetime.fromisoformat(moment), Place(float(negative_score), submitted)
