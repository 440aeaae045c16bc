"""Emptying the outbox: whoever does not answer, such as a mail server, delays no request.

A row is taken and put off in one transaction, sent outside of any, and removed in another. A failure leaves it for its
next attempt; after four days it is given up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from services.core import outbox
from services.core.models import Outgoing, OutgoingKind
from services.core.store.database import Database, WriteSession, clock

__all__ = ["GIVE_UP_AFTER", "Act", "Refused", "Sending"]

log = structlog.get_logger()

GIVE_UP_AFTER = timedelta(days=4)

Act = Callable[[], None]  # sends something; raises Refused, or OSError if another attempt may succeed


class Refused(Exception):
    """What was to be sent will never be taken."""


@dataclass(frozen=True, slots=True)
class Sending:
    """Sends some kinds of rows of the outbox."""

    database: Database
    kinds: frozenset[OutgoingKind]  # what can be sent with these settings; all else waits
    prepare: Callable[[WriteSession, Outgoing], Act | None]
    """Returns what sends a row, to be called without a transaction; None if there is nothing to send any more."""

    def step(self) -> bool:
        """Send what is due first; tell whether anything was."""
        if not self.kinds:
            return False
        with self.database.read() as session:
            if not outbox.is_due(session, self.kinds, clock(session)):
                return False
        with self.database.write() as session:
            row = outbox.take(session, self.kinds, clock(session))
            if row is None:
                return False
            act = self.prepare(session, row)
            if act is None or clock(session) - row.created_at > GIVE_UP_AFTER:
                outbox.done(session, row.id)
                return True
        if _carried_out(act, row):
            self._remove(row.id)
        return True

    def _remove(self, row_id: UUID) -> None:
        with self.database.write() as session:
            outbox.done(session, row_id)


def _carried_out(act: Act, row: Outgoing) -> bool:
    """Tell whether a row was sent, or never can be. The log names no address."""
    try:
        act()
    except Refused:
        log.warning("outgoing_refused", kind=row.kind, outgoing=str(row.id), remedy="it is given up")
    except OSError as error:
        reason = getattr(error, "smtp_code", None) or getattr(error, "errno", None)
        log.warning(
            "outgoing_failed",
            kind=row.kind,
            outgoing=str(row.id),
            attempt=row.attempts,
            error=type(error).__name__,
            reason=reason,
            next_at=row.due_at.isoformat(),
        )
        return False
    return True
