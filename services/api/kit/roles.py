"""Who has which role in a competition: every reader asks here."""

from services.api.kit.auth import Principal
from services.core.errors import LetheError
from services.core.models import Competition, CompetitionRole

__all__ = ["Forbidden", "NotOrganiser", "may", "require", "role_in"]

_STAFF = [CompetitionRole.REVIEWER, CompetitionRole.ORGANISER, CompetitionRole.OWNER]  # each may what one before it may


class Forbidden(LetheError):
    code = "forbidden"
    status = 403


class NotOrganiser(Forbidden):
    code = "not_organiser"


def role_in(who: Principal | None, competition: Competition) -> CompetitionRole | None:
    """Return the role that a caller has in a competition, apart from taking part. An operator may what its owner may.

    The competition is attached to a session, or its members have been read.
    """
    if who is None:
        return None
    if who.is_operator or who.account_id == competition.owner_id:
        return CompetitionRole.OWNER
    return next((member.role for member in competition.members if member.account_id == who.account_id), None)


def may(who: Principal | None, competition: Competition, least: CompetitionRole) -> bool:
    """Tell whether a caller has at least a role in a competition."""
    role = role_in(who, competition)
    return role is not None and _STAFF.index(role) >= _STAFF.index(least)


def require(who: Principal, competition: Competition, least: CompetitionRole) -> None:
    """Raise NotOrganiser unless a caller has at least a role in a competition."""
    if not may(who, competition, least):
        role = role_in(who, competition)
        raise NotOrganiser(
            f"This requires the role {least} in {competition.slug!r}; {who.username} has "
            f"{f'the role {role}' if role else 'none'} there. Ask its owner or an operator."
        )
