"""Sending the mail that waits in the outbox."""

from functools import partial

from services.api.kit.sending import Act, Sending
from services.api.mail.messages import WRITERS, Writing
from services.api.mail.smtp import send
from services.core.models import Outgoing
from services.core.settings import Settings
from services.core.store.database import Database, WriteSession

__all__ = ["mail_sending"]


def mail_sending(settings: Settings, key: bytes, database: Database) -> Sending:
    """Return what sends mail; without a mail server in the settings it sends none."""

    def prepare(session: WriteSession, row: Outgoing) -> Act | None:
        mail = WRITERS[row.kind](Writing(settings, key, session), row)
        return None if mail is None else partial(send, settings, mail)

    return Sending(database, frozenset(WRITERS) if settings.mail_configured else frozenset(), prepare)
