"""Changing the own password, and setting a new one by a link."""

from uuid import UUID

from sqlalchemy import func, select, update

from services.api.accounts.passwords import hash_password, verify_password
from services.api.accounts.service import BadCredentials
from services.api.kit.auth import Principal
from services.api.mail.alerting import alert
from services.api.own.links import LIFETIMES, forget_links, make_link, use_link
from services.core.errors import Conflict, NotFound
from services.core.models import Account, Act, LinkKind, OutgoingKind, Token, TokenKind
from services.core.outbox import post
from services.core.record.acts import record
from services.core.settings import Settings
from services.core.store.database import Database, WriteSession, utc_now

__all__ = [
    "MailNotConfigured",
    "ask_for_link",
    "change_password",
    "confirm_password",
    "end_other_sessions",
    "link_by_operator",
    "set_by_link",
]


class WrongPassword(BadCredentials):
    """The own password was wrong. The session goes on, so the status is not 401."""

    code = "wrong_password"
    status = 403


class MailNotConfigured(Conflict):
    code = "mail_not_configured"


def confirm_password(database: Database, who: Principal, password: str | None) -> Account:
    """Return the caller's account if the password is right, or if the account has none. Raises WrongPassword.

    It reads in a separate transaction, because hashing is slow on purpose and must not hold a lock.
    """
    with database.read() as session:
        account = session.get_one(Account, who.account_id)
    if account.password_hash and not verify_password(password or "", account.password_hash):
        raise WrongPassword("The password is wrong. Check it and try again.")
    return account


def change_password(
    session: WriteSession, database: Database, settings: Settings, who: Principal, *, old: str | None, new: str
) -> None:
    """Set a new password and end all other sessions. Tokens stay. Raises WrongPassword."""
    known = confirm_password(database, who, old)
    hashed = hash_password(new)
    unchanged = (Account.id == who.account_id, Account.password_hash == known.password_hash)
    changed = update(Account).where(*unchanged, Account.deleted_at.is_(None)).values(password_hash=hashed)
    if session.execute(changed.returning(Account.id)).one_or_none() is None:
        raise WrongPassword("The password was changed meanwhile. Log in again.")
    end_other_sessions(session, who)
    forget_links(session, who.account_id, LinkKind.RESET)
    alert(session, settings, known, "password")


def end_other_sessions(session: WriteSession, who: Principal) -> int:
    """End all sessions of the caller but the one of this request; return how many."""
    return _end_sessions(session, who.account_id, but=who.token_id)


def ask_for_link(session: WriteSession, settings: Settings, name: str) -> None:
    """Have a link sent to whoever has this username or address. Raises MailNotConfigured.

    Whether there is somebody is looked up when the mail is written, so neither the answer nor its time tells.
    """
    if not settings.mail_configured:
        raise MailNotConfigured("This installation sends no mail. Ask its operator for a link to set a new password.")
    post(session, OutgoingKind.RESET_MAIL, payload={"name": name.strip().lower()})


def set_by_link(session: WriteSession, settings: Settings, key: bytes, secret: str, new: str) -> None:
    """Set a new password by a link, and end all sessions. Tokens stay. Raises BadLink."""
    hashed = hash_password(new)  # before the transaction begins
    account, _ = use_link(session, key, LinkKind.RESET, secret)
    account.password_hash = hashed
    _end_sessions(session, account.id)
    forget_links(session, account.id, LinkKind.RESET)
    alert(session, settings, account, "reset")


def link_by_operator(session: WriteSession, who: Principal, key: bytes, username: str) -> tuple[str, Account]:
    """Make a link for somebody who asked an operator; return its secret. It is on record. Raises NotFound."""
    wanted = select(Account).where(Account.username == username, Account.deleted_at.is_(None))
    account = session.scalars(wanted.with_for_update(key_share=True)).one_or_none()
    if account is None:
        raise NotFound(f"There is no account {username!r}. Check the name.")
    secret = make_link(session, key, account, LinkKind.RESET)
    details = {"account": str(account.id), "hours": LIFETIMES[LinkKind.RESET].total_seconds() / 3600}
    record(session, Act.RESET_LINK_MADE, competition_id=None, account_id=who.account_id, details=details)
    return secret, account


def _end_sessions(session: WriteSession, account_id: UUID, but: UUID | None = None) -> int:
    others = [Token.account_id == account_id, Token.kind == TokenKind.SESSION, Token.revoked_at.is_(None)]
    if but is not None:
        others.append(Token.id != but)
    count = session.scalars(select(func.count()).select_from(Token).where(*others, Token.expires_at > utc_now())).one()
    session.execute(update(Token).where(*others).values(revoked_at=utc_now()))
    return count
