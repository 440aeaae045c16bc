"""Writing acts to the record, in the transaction of the act itself."""

from uuid import UUID

from services.core.models import Act, AuditEvent
from services.core.store.database import WriteSession

__all__ = ["record"]


def record(session: WriteSession, act: Act, *, competition_id: UUID, account_id: UUID, **details: object) -> None:
    """Record an act with its author. Details are JSON; they name people by ids, so that an account can be deleted."""
    session.add(AuditEvent(competition_id=competition_id, account_id=account_id, act=act, details=details))
