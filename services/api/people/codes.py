"""Codes of 128 random bits that let some people in until they expire or are revoked. Only keyed digests are stored.

Every kind of invitation is made and used by these rules.
"""

import hmac
import re
import secrets

from sqlalchemy import update

from services.api.kit.policy import Forbidden
from services.core.models import Invitation, TeamInvitation
from services.core.store.database import WriteSession, utc_now

__all__ = ["BadCode", "digest_of", "new_code", "use"]

RANDOM_BYTES = 16
_FORM = re.compile(f"[0-9a-f]{{{2 * RANDOM_BYTES}}}")


class BadCode(Forbidden):
    code = "bad_code"


def new_code() -> str:
    """Draw a code."""
    return secrets.token_hex(RANDOM_BYTES)


def digest_of(key: bytes, purpose: bytes, code: str) -> str:
    """Return what is stored of a code; empty for a text that is none. The purpose says to what it lets people in."""
    code = code.strip().lower()
    return hmac.digest(key, purpose + code.encode(), "sha256").hex() if _FORM.fullmatch(code) else ""


def use(session: WriteSession, row: Invitation | TeamInvitation) -> bool:
    """Count a use, unless there is none left: of several that come for the last one, the database lets in one."""
    kind = type(row)
    left = (kind.id == row.id, kind.used < kind.uses, kind.revoked_at.is_(None), kind.expires_at > utc_now())
    taken = update(kind).where(*left).values(used=kind.used + 1).returning(kind.id)
    return session.execute(taken.execution_options(synchronize_session=False)).one_or_none() is not None
