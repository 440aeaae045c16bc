"""Invitations: a code of 128 random bits that admits some people until it expires or is revoked."""

import hmac
import re
import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, select, update

from services.api.kit.auth import Principal
from services.api.kit.policy import Forbidden
from services.core.errors import NotFound
from services.core.models import Act, Competition, Invitation
from services.core.record.acts import record
from services.core.store.database import WriteSession, utc_now

__all__ = ["BadCode", "admit", "invitations_to", "make", "revoke"]

RANDOM_BYTES = 16
_FORM = re.compile(f"[0-9a-f]{{{2 * RANDOM_BYTES}}}")


class BadCode(Forbidden):
    code = "bad_code"


def make(
    session: WriteSession, who: Principal, competition: Competition, key: bytes, *, name: str, uses: int, days: int
) -> tuple[Invitation, str]:
    """Make an invitation; return its row and its code, which is not stored."""
    code = secrets.token_hex(RANDOM_BYTES)
    row = Invitation(
        competition_id=competition.id,
        account_id=who.account_id,
        name=name,
        digest=_digest(key, competition, code),
        uses=uses,
        expires_at=utc_now() + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    _record(session, Act.INVITATION_MADE, who, row, name=name, uses=uses, expires_at=row.expires_at.isoformat())
    return row, code


def invitations_to(competition: Competition) -> Select[Invitation]:
    """Select the invitations to a competition."""
    return select(Invitation).where(Invitation.competition_id == competition.id)


def revoke(session: WriteSession, who: Principal, competition: Competition, invitation_id: UUID) -> Invitation:
    """Let an invitation admit nobody more. Whom it admitted stays. Raises NotFound."""
    wanted = invitations_to(competition).where(Invitation.id == invitation_id, Invitation.revoked_at.is_(None))
    row = session.scalars(wanted.with_for_update()).one_or_none()
    if row is None:
        raise NotFound(f"{competition.slug!r} has no invitation {invitation_id}, or it is revoked.")
    row.revoked_at = utc_now()
    _record(session, Act.INVITATION_REVOKED, who, row)
    return row


def admit(session: WriteSession, who: Principal, competition: Competition, key: bytes, code: str) -> None:
    """Use a code once. Raises BadCode, the same whether it is wrong, expired, revoked or used up."""
    code = code.strip().lower()
    digest = _digest(key, competition, code) if _FORM.fullmatch(code) else ""
    row = session.scalars(invitations_to(competition).where(Invitation.digest == digest)).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, digest) or not _take(session, row.id):
        raise BadCode(
            f"The code does not admit you to {competition.slug!r}: it is wrong, expired, revoked or used up. Check it, "
            "or ask an organiser for another one."
        )
    _record(session, Act.INVITATION_USED, who, row)


def _take(session: WriteSession, invitation_id: UUID) -> bool:
    """Count a use, unless there is none left: of several that come for the last one, the database lets in one."""
    left = (
        Invitation.id == invitation_id,
        Invitation.used < Invitation.uses,
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > utc_now(),
    )
    taken = update(Invitation).where(*left).values(used=Invitation.used + 1).returning(Invitation.id)
    return session.execute(taken.execution_options(synchronize_session=False)).one_or_none() is not None


def _digest(key: bytes, competition: Competition, code: str) -> str:
    return hmac.digest(key, b"invitation\0" + competition.id.bytes + code.encode(), "sha256").hex()


def _record(session: WriteSession, act: Act, who: Principal, row: Invitation, **details: object) -> None:
    own = {"invitation": str(row.id), **details}
    record(session, act, competition_id=row.competition_id, account_id=who.account_id, details=own)
