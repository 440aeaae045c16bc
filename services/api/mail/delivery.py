"""The loop that empties the outbox, in each API process: a mail server that does not answer delays no request.

A row is taken and put off in one transaction, sent outside of any, and removed in another. A failure leaves it for its
next attempt; after four days it is given up.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from smtplib import SMTPException
from uuid import UUID

import structlog
from anyio import CapacityLimiter, to_thread

from services.api.mail.messages import WRITERS, Writing
from services.api.mail.smtp import Refused, send
from services.core import outbox
from services.core.models import Outgoing, OutgoingKind
from services.core.settings import Settings
from services.core.store.database import Database, WriteSession, clock

__all__ = ["Delivery"]

log = structlog.get_logger()

LOOK_EVERY_S = 1.0
LOOK_AGAIN_S = 10.0  # after a failure of ours, such as a database that does not answer
GIVE_UP_AFTER = timedelta(days=4)


class Delivery:
    """Sends what the outbox holds."""

    def __init__(self, settings: Settings, key: bytes, database: Database) -> None:
        self._settings = settings
        self._key = key
        self._database = database
        self._closing = asyncio.Event()
        self._thread = CapacityLimiter(1)

    @property
    def kinds(self) -> frozenset[OutgoingKind]:
        """What can be sent with these settings; all else waits."""
        return frozenset(WRITERS) if self._settings.mail_configured else frozenset()

    def close(self) -> None:
        """Let the loop end after what it is sending."""
        self._closing.set()

    async def run(self) -> None:
        """Send until closed."""
        while self.kinds and not self._closing.is_set():
            pause_s = LOOK_EVERY_S
            try:
                if await to_thread.run_sync(self.step, limiter=self._thread):
                    continue
            except Exception:
                pause_s = LOOK_AGAIN_S
                log.exception("outbox_failed", remedy="the next look tries again")
            try:
                await asyncio.wait_for(self._closing.wait(), pause_s)
            except TimeoutError:
                continue

    def step(self) -> bool:
        """Send what is due first; tell whether anything was."""
        with self._database.read() as session:
            if not outbox.is_due(session, self.kinds, clock(session)):
                return False
        with self._database.write() as session:
            row = outbox.take(session, self.kinds, clock(session))
            if row is None:
                return False
            act = self._prepare(session, row)
            if act is None or clock(session) - row.created_at > GIVE_UP_AFTER:
                outbox.done(session, row.id)
                return True
        if _carried_out(act, row):
            self._remove(row.id)
        return True

    def _prepare(self, session: WriteSession, row: Outgoing) -> Callable[[], None] | None:
        """Return what sends a row, to be called without a transaction; None if there is nothing to send."""
        mail = WRITERS[row.kind](Writing(self._settings, self._key, session), row)
        return None if mail is None else partial(send, self._settings, mail)

    def _remove(self, row_id: UUID) -> None:
        with self._database.write() as session:
            outbox.done(session, row_id)


def _carried_out(act: Callable[[], None], row: Outgoing) -> bool:
    """Tell whether a row was sent, or never can be. The log names no address."""
    try:
        act()
    except Refused:
        log.warning("mail_refused", kind=row.kind, outgoing=str(row.id), remedy="the mail is given up")
    except (OSError, SMTPException) as error:
        reason = getattr(error, "smtp_code", None) or getattr(error, "errno", None)
        log.warning(
            "mail_failed",
            kind=row.kind,
            outgoing=str(row.id),
            attempt=row.attempts,
            error=type(error).__name__,
            reason=reason,
            next_at=row.due_at.isoformat(),
        )
        return False
    return True
