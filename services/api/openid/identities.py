"""Whose account an identity opens. An address that a provider tells is never asked for, so it links nothing."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from services.api.accounts.service import create_account
from services.api.kit.auth import Principal
from services.api.mail.alerting import alert
from services.core.errors import Conflict, NotFound
from services.core.models import Account, Identity, Role
from services.core.settings import Settings
from services.core.store.database import ReadSession, WriteSession

__all__ = ["IdentityTaken", "LastWayIn", "account_of", "add_account", "identities_of", "link", "unlink"]

MOST_SHOWN = 50


class IdentityTaken(Conflict):
    code = "identity_taken"


class LastWayIn(Conflict):
    code = "last_way_in"


def account_of(session: WriteSession, issuer: str, subject: str) -> Account | None:
    """Return the account that an identity opens, locked; None if it opens none."""
    wanted = select(Account).join(Identity, Identity.account_id == Account.id)
    own = (Identity.issuer == issuer, Identity.subject == subject, Account.deleted_at.is_(None))
    locked = wanted.where(*own).with_for_update(key_share=True, of=Account)
    return session.scalars(locked).one_or_none()


def identities_of(session: ReadSession, account_id: UUID) -> Sequence[Identity]:
    """Return the identities that open an account, oldest first."""
    own = select(Identity).where(Identity.account_id == account_id)
    return session.scalars(own.order_by(Identity.created_at, Identity.id).limit(MOST_SHOWN)).all()


def add_account(session: WriteSession, username: str, issuer: str, subject: str) -> Account:
    """Create an account without a password for an identity. Raises NameTaken or IdentityTaken."""
    account = create_account(session, username, None, Role.PARTICIPANT)
    _add(session, account, issuer, subject)
    return account


def link(session: WriteSession, settings: Settings, who: Principal, issuer: str, subject: str) -> None:
    """Let an identity open the caller's account, too; tell the owner. Raises IdentityTaken."""
    account = _lock(session, who)
    found = account_of(session, issuer, subject)
    if found is not None and found.id == account.id:
        return
    _add(session, account, issuer, subject)
    alert(session, settings, account, "identity")


def unlink(
    session: WriteSession, settings: Settings, who: Principal, identity_id: UUID, issuers: Collection[str]
) -> None:
    """Let an identity open the caller's account no more. Raises NotFound or LastWayIn.

    An identity counts as a way in only if its issuer is still among the configured ones.
    """
    account = _lock(session, who)
    own = identities_of(session, account.id)
    found = next((one for one in own if one.id == identity_id), None)
    if found is None:
        raise NotFound(f"You have no sign-in {identity_id}. Your account page lists them.")
    if not account.password_hash and not any(one.issuer in issuers for one in own if one is not found):
        raise LastWayIn("Without it you could not sign in any more. Set a password first.")
    session.delete(found)
    alert(session, settings, account, "identity-removed")


def _lock(session: WriteSession, who: Principal) -> Account:
    return session.get_one(Account, who.account_id, with_for_update={"key_share": True})


def _add(session: WriteSession, account: Account, issuer: str, subject: str) -> None:
    session.add(Identity(account_id=account.id, issuer=issuer, subject=subject))
    try:
        session.flush()
    except IntegrityError as error:
        raise IdentityTaken(
            "This account at the provider opens another account here. Sign out at the provider and choose another one, "
            "or sign in with it and delete that account."
        ) from error
