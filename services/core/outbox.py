"""The outbox: what is to be sent is a row, written in the transaction that causes it; a loop of the API sends it.

So nothing is sent for what is rolled back, and nothing is lost if a server does not answer. A row may be sent twice if
the process ends between sending and removing it.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select

from services.core.models import Outgoing, OutgoingKind
from services.core.store.database import ReadSession, WriteSession

__all__ = ["delay_after", "done", "is_due", "post", "take"]

FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)


def post(
    session: WriteSession, kind: OutgoingKind, *, account_id: UUID | None = None, payload: Mapping[str, object]
) -> None:
    """Write something into the outbox. The payload is JSON and holds no secret."""
    session.add(Outgoing(kind=kind, account_id=account_id, payload=dict(payload)))


def is_due(session: ReadSession, kinds: Collection[OutgoingKind], now: datetime) -> bool:
    """Tell whether something of these kinds is to be sent now."""
    wanted = select(Outgoing.id).where(Outgoing.kind.in_(kinds), Outgoing.due_at <= now)
    return session.scalars(wanted.limit(1)).one_or_none() is not None


def take(session: WriteSession, kinds: Collection[OutgoingKind], now: datetime) -> Outgoing | None:
    """Take the row that is due first, and put off its next attempt, so that no other process takes it meanwhile."""
    wanted = select(Outgoing).where(Outgoing.kind.in_(kinds), Outgoing.due_at <= now)
    first = wanted.order_by(Outgoing.due_at, Outgoing.id).limit(1).with_for_update(skip_locked=True)
    row = session.scalars(first).one_or_none()
    if row is not None:
        row.due_at = now + delay_after(row.attempts)
        row.attempts += 1
        session.flush()
    return row


def done(session: WriteSession, row_id: UUID) -> None:
    """Remove what was sent."""
    session.execute(delete(Outgoing).where(Outgoing.id == row_id))


def delay_after(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: 30 s, then twice as long each time, at most an hour."""
    return min(LONGEST_DELAY, FIRST_DELAY * (1 << min(attempts, 10)))
