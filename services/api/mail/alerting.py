"""Telling people by mail what changed about their account."""

from services.core.models import Account, OutgoingKind
from services.core.outbox import post
from services.core.settings import Settings
from services.core.store.database import WriteSession

__all__ = ["alert"]


def alert(session: WriteSession, settings: Settings, account: Account, what: str) -> None:
    """Write to the proved address of an account, as it was read; do nothing if there is none, or no mail."""
    if settings.mail_configured and account.email and account.email_verified_at:
        payload = {"email": account.email, "what": what}
        post(session, OutgoingKind.ALERT_MAIL, account_id=account.id, payload=payload)
