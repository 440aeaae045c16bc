"""Keyset pages of registrations by username, which is unique within a competition."""

from collections.abc import Sequence

from sqlalchemy import Select

from services.api.kit.cursors import Cursors
from services.core.models import Registration
from services.core.store.database import ReadSession

__all__ = ["by_username"]


def by_username(
    session: ReadSession,
    statement: Select[Registration],
    *,
    cursors: Cursors,
    listing: str,
    limit: int,
    after: str | None,
) -> tuple[Sequence[Registration], str | None]:
    """Read one page in the order of usernames; return its rows and the cursor of the next page."""
    if after is not None:
        statement = statement.where(Registration.username > str(cursors.decode(listing, after)[0]))
    rows = session.scalars(statement.order_by(Registration.username).limit(limit + 1)).all()
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], cursors.encode(listing, [rows[limit - 1].username])
