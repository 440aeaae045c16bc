"""Links in mail that stop mail of their kind, as RFC 8058 has it: one request without a login, and nothing else.

A link holds whose mail it stops, the kind, and what only the installation's key can make of both, so no table has to
hold it and it works as long as the account is there.
"""

import hmac
from uuid import UUID

from services.api.notices.choices import stop_mail
from services.api.own.links import BadLink
from services.core.models import Account, HappeningKind
from services.core.store.database import WriteSession

__all__ = ["stop_by_link", "stopping_link"]

BYTES = 16


def stopping_link(key: bytes, account_id: UUID, kind: HappeningKind) -> str:
    """Return what a link holds that stops mail of a kind to an account."""
    return f"{account_id.hex}_{kind}_{_proof(key, account_id, kind)}"


def stop_by_link(session: WriteSession, key: bytes, link: str, *, everything: bool) -> None:
    """Stop mail of the link's kind, or all about competitions. Raises BadLink."""
    account_id, kind = _read(key, link)
    account = session.get(Account, account_id, with_for_update={"key_share": True})
    if account is None or account.deleted_at is not None:
        raise _bad()
    stop_mail(account, None if everything else kind)
    session.flush()


def _read(key: bytes, link: str) -> tuple[UUID, HappeningKind]:
    account, _, rest = link.partition("_")
    kind, _, proof = rest.partition("_")
    try:
        found = UUID(hex=account), HappeningKind(kind)
    except ValueError as error:
        raise _bad() from error
    if not hmac.compare_digest(proof.encode(), _proof(key, *found).encode()):
        raise _bad()
    return found


def _bad() -> BadLink:
    return BadLink("The link is wrong. Copy all of it from the mail, or choose on your account page what you get.")


def _proof(key: bytes, account_id: UUID, kind: HappeningKind) -> str:
    return hmac.digest(key, b"stop mail\0" + account_id.bytes + kind.encode(), "sha256")[:BYTES].hex()
