"""What each mail says. A mail is written when it is sent, so it holds the newest address and a fresh link."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, or_, select

from services.api.kit.tokens import digest
from services.api.mail.smtp import Mail
from services.api.notices.choices import noticed
from services.api.notices.stopping import stopping_link
from services.api.own.links import derived_link, make_link
from services.core.models import Account, AccountLink, Announcement, HappeningKind, LinkKind, Outgoing, OutgoingKind
from services.core.settings import Settings
from services.core.store.database import ReadSession, WriteSession, utc_now

__all__ = ["WRITERS", "Writing"]

MOST_ACCOUNTS = 5  # of one address, which one mail names
MOST_LINKS_AN_HOUR = 3  # to one account, whoever asks
HOUR = timedelta(hours=1)
CHANGES = {
    "password": "Your password was changed, and all other sessions were ended.",
    "reset": "Your password was set anew by a link, and all sessions were ended.",
    "identity": "A sign-in with another provider was added to your account.",
    "identity-removed": "A sign-in with another provider was removed from your account.",
    "email": "The e-mail address of your account was changed.",
}


@dataclass(frozen=True, slots=True)
class Writing:
    """What a mail is written with."""

    settings: Settings
    key: bytes
    session: WriteSession

    def page(self, path: str) -> str:
        """Return the address of a page."""
        return self.settings.site + path


def _reset(writing: Writing, row: Outgoing) -> Mail | None:
    """Write to whoever has the name or the address, if there is anybody who has proved an address."""
    found = _accounts(writing.session, str(row.payload["name"]))
    links = [link for account in found if (link := _link_of(writing, row, account))]
    if not links:
        return None
    return _mail(
        found[0].email or "",
        "Set a new password",
        "Somebody, perhaps you, asked to set a new password. Follow the link to choose one. It works once, within an "
        "hour.",
        *links,
        "If it was not you, do nothing: your password stays as it is.",
    )


def _verify(writing: Writing, row: Outgoing) -> Mail | None:
    """Write to an address that somebody gave, unless they gave another one meanwhile."""
    account = writing.session.get(Account, row.account_id)
    email = str(row.payload["email"])
    if account is None or account.email != email or account.email_verified_at is not None:
        return None
    secret = make_link(writing.session, writing.key, account, LinkKind.VERIFY, of=row.id)
    return _mail(
        email,
        "Confirm your e-mail address",
        f"The account {account.username} at {writing.settings.site} gave this address. Follow the link to confirm that "
        "it is yours. It works once, within a day.",
        writing.page(f"/verify-email#{secret}"),
        "If the account is not yours, do nothing.",
    )


def _alert(writing: Writing, row: Outgoing) -> Mail | None:
    """Tell somebody what changed about their account, at the address that it had before."""
    account = writing.session.get(Account, row.account_id)
    if account is None or account.deleted_at is not None:
        return None
    return _mail(
        str(row.payload["email"]),
        "Your account was changed",
        f"{CHANGES[str(row.payload['what'])]} The account is {account.username} at {writing.settings.site}.",
        "If it was not you, set a new password at once, or ask the operator for help:",
        writing.page("/forgot-password"),
    )


def _notice(writing: Writing, row: Outgoing) -> Mail | None:
    """Write what happened, to whoever still wants mail."""
    account = writing.session.get(Account, row.account_id)
    kind = HappeningKind(str(row.payload["kind"]))
    if account is None or not account.email or not noticed(account, kind)[1]:
        return None
    text = str(row.payload["text"])
    paragraphs = [text]
    if "announcement" in row.payload:
        post = writing.session.get(Announcement, UUID(str(row.payload["announcement"])))
        if post is None or post.retracted_at is not None:
            return None
        paragraphs = [post.title, post.body]
    link = stopping_link(writing.key, account.id, kind)
    stop = f"Stop such mail, or all mail about competitions: {writing.page('/stop-mail#' + link)}"
    mail = _mail(account.email, text, *paragraphs, writing.page(str(row.payload["path"])), stop)
    return replace(mail, stop=writing.page(f"/api/mail-stops/{link}"))


WRITERS: Mapping[OutgoingKind, Callable[[Writing, Outgoing], Mail | None]] = {
    OutgoingKind.RESET_MAIL: _reset,
    OutgoingKind.VERIFY_MAIL: _verify,
    OutgoingKind.ALERT_MAIL: _alert,
    OutgoingKind.NOTICE_MAIL: _notice,
}
"""Who writes each kind of mail; None if there is nobody to send it to any more."""


def _accounts(session: ReadSession, name: str) -> Sequence[Account]:
    proved = (Account.email.is_not(None), Account.email_verified_at.is_not(None), Account.deleted_at.is_(None))
    wanted = select(Account).where(or_(Account.username == name, Account.email == name), *proved)
    return session.scalars(wanted.order_by(Account.username).limit(MOST_ACCOUNTS)).all()


def _link_of(writing: Writing, row: Outgoing, account: Account) -> str | None:
    """Return the line of an account in a mail; None if it got several links within the hour already."""
    session = writing.session
    secret = derived_link(writing.key, account, row.id)
    recent = (AccountLink.kind == LinkKind.RESET, AccountLink.created_at > utc_now() - HOUR)
    others = (AccountLink.account_id == account.id, AccountLink.digest != digest(writing.key, secret))
    count = select(func.count()).select_from(AccountLink).where(*recent, *others)
    if session.scalars(count).one() >= MOST_LINKS_AN_HOUR:
        return None
    make_link(session, writing.key, account, LinkKind.RESET, of=row.id)
    return f"{account.username}: " + writing.page(f"/reset-password#{secret}")


def _mail(to: str, subject: str, *paragraphs: str) -> Mail:
    return Mail(to, f"Lethe: {subject}", "\n\n".join(paragraphs) + "\n")
