"""Invitations to competitions: codes that admit people, and who made and used them."""

import hmac
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, select

from services.api.kit.auth import Principal
from services.api.people import codes
from services.api.people.codes import BadCode
from services.core.errors import NotFound
from services.core.models import Act, Competition, Invitation
from services.core.record.acts import record
from services.core.store.database import WriteSession, utc_now

__all__ = ["admit", "invitations_to", "make", "revoke"]


def make(
    session: WriteSession, who: Principal, competition: Competition, key: bytes, *, name: str, uses: int, days: int
) -> tuple[Invitation, str]:
    """Make an invitation; return its row and its code, which is not stored."""
    code = codes.new_code()
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
    digest = _digest(key, competition, code)
    row = session.scalars(invitations_to(competition).where(Invitation.digest == digest)).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, digest) or not codes.use(session, row):
        raise BadCode(
            f"The code does not admit you to {competition.slug!r}: it is wrong, expired, revoked or used up. Check it, "
            "or ask an organiser for another one."
        )
    _record(session, Act.INVITATION_USED, who, row)


def _digest(key: bytes, competition: Competition, code: str) -> str:
    return codes.digest_of(key, b"invitation\0" + competition.id.bytes, code)


def _record(session: WriteSession, act: Act, who: Principal, row: Invitation, **details: object) -> None:
    own = {"invitation": str(row.id), **details}
    record(session, act, competition_id=row.competition_id, account_id=who.account_id, details=own)
