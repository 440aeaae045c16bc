"""The own e-mail address: given with the password, proved by a link."""

from services.api.kit.auth import Principal
from services.api.mail.alerting import alert
from services.api.own.links import forget_links, use_link
from services.api.own.passwords import MailNotConfigured
from services.core.errors import Conflict
from services.core.models import Account, LinkKind, OutgoingKind
from services.core.outbox import post
from services.core.settings import Settings
from services.core.store.database import WriteSession, utc_now

__all__ = ["NothingToVerify", "ask_again", "set_email", "verify"]


class NothingToVerify(Conflict):
    code = "nothing_to_verify"


def set_email(session: WriteSession, settings: Settings, who: Principal, email: str | None) -> Account:
    """Set or remove the caller's address. A new one is not proved; the address before is told."""
    account = session.get_one(Account, who.account_id, with_for_update={"key_share": True})
    if account.email == email:
        return account
    alert(session, settings, account, "email")
    forget_links(session, account.id, LinkKind.VERIFY)
    forget_links(session, account.id, LinkKind.RESET)
    account.email, account.email_verified_at = email, None
    if email is not None and settings.mail_configured:
        _ask(session, account)
    return account


def ask_again(session: WriteSession, settings: Settings, who: Principal) -> None:
    """Send the link once more. Raises MailNotConfigured or NothingToVerify."""
    if not settings.mail_configured:
        raise MailNotConfigured("This installation sends no mail, so it cannot verify addresses. Ask its operator.")
    account = session.get_one(Account, who.account_id)
    if account.email is None or account.email_verified_at is not None:
        raise NothingToVerify("There is no address to verify. Set another one first.")
    _ask(session, account)


def verify(session: WriteSession, key: bytes, secret: str) -> None:
    """Note that an address is its account's. Raises BadLink, also if the account has another address meanwhile."""
    account, email = use_link(session, key, LinkKind.VERIFY, secret)
    if account.email == email:
        account.email_verified_at = utc_now()


def _ask(session: WriteSession, account: Account) -> None:
    post(session, OutgoingKind.VERIFY_MAIL, account_id=account.id, payload={"email": account.email})
