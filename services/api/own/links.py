"""Links that prove their holder once: of mails, and those that an operator makes."""

from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update

from services.api.kit.tokens import derived_token, digest, is_well_formed
from services.core.errors import BadInput
from services.core.models import Account, AccountLink, LinkKind
from services.core.store.database import WriteSession, utc_now

__all__ = ["LIFETIMES", "BadLink", "derived_link", "forget_links", "make_link", "use_link"]

LIFETIMES = {LinkKind.RESET: timedelta(hours=1), LinkKind.VERIFY: timedelta(days=1)}


class BadLink(BadInput):
    code = "bad_link"


def derived_link(key: bytes, account: Account, of: UUID) -> str:
    """Return the secret of an account's link in a mail. It follows from the key, so that no table has to hold it."""
    return derived_token(key, b"link\0" + of.bytes + account.id.bytes)


def make_link(session: WriteSession, key: bytes, account: Account, kind: LinkKind, *, of: UUID | None = None) -> str:
    """Make a link for an account and return its secret; for the same mail the same, whose time begins again."""
    secret = derived_link(key, account, of or uuid4())
    found = session.scalars(select(AccountLink).where(AccountLink.digest == digest(key, secret))).one_or_none()
    expires_at = utc_now() + LIFETIMES[kind]
    if found is None:
        email = account.email if kind is LinkKind.VERIFY else None
        found = AccountLink(account_id=account.id, kind=kind, digest=digest(key, secret), email=email)
        session.add(found)
    found.expires_at = expires_at
    session.flush()
    return secret


def use_link(session: WriteSession, key: bytes, kind: LinkKind, secret: str) -> tuple[Account, str | None]:
    """Use a link; return its account, locked, and the address that it proves.

    Of several that come at once the database lets in one. Raises BadLink, the same for all that do not count.
    """
    taken = (
        update(AccountLink)
        .where(
            AccountLink.digest == (digest(key, secret) if is_well_formed(secret) else ""),
            AccountLink.kind == kind,
            AccountLink.used_at.is_(None),
            AccountLink.expires_at > utc_now(),
        )
        .values(used_at=utc_now())
        .returning(AccountLink.account_id, AccountLink.email)
    )
    row = session.execute(taken.execution_options(synchronize_session=False)).one_or_none()
    account = None if row is None else session.get(Account, row.account_id, with_for_update={"key_share": True})
    if row is None or account is None or account.deleted_at is not None:
        raise BadLink("The link is wrong, expired or used already. Ask for another one.")
    return account, row.email


def forget_links(session: WriteSession, account_id: UUID, kind: LinkKind) -> None:
    """Let no other link of a kind count any more."""
    unused = (AccountLink.account_id == account_id, AccountLink.kind == kind, AccountLink.used_at.is_(None))
    session.execute(delete(AccountLink).where(*unused))
