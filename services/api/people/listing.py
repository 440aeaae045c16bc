"""Keyset pages of registrations by username, which is unique within a competition, and the teams of those on one."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select

from services.api.kit.cursors import Cursors
from services.core.models import Registration, Seat, Team
from services.core.store.database import ReadSession

__all__ = ["by_username", "teams_by_account"]


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


def teams_by_account(session: ReadSession, competition_id: UUID, account_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the name of the team for which each of these accounts competes, if there is one."""
    statement = select(Seat.account_id, Team.name).join(Team, Team.id == Seat.team_id)
    there = (Seat.competition_id == competition_id, Seat.account_id.in_(account_ids), Seat.left_at.is_(None))
    return dict(session.execute(statement.where(*there)).all())
