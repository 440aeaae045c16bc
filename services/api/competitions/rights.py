"""Decides who may run or review a competition, and whether anything of it may change."""

from services.api.kit.auth import Principal
from services.api.kit.roles import may, require
from services.core.errors import Conflict
from services.core.models import Competition, CompetitionRole, Visibility

__all__ = ["CompetitionArchived", "organises", "require_organiser", "require_writable", "reviews"]


class CompetitionArchived(Conflict):
    code = "competition_archived"


def organises(who: Principal | None, competition: Competition) -> bool:
    """Tell whether the caller may run the competition."""
    return may(who, competition, CompetitionRole.ORGANISER)


def reviews(who: Principal | None, competition: Competition) -> bool:
    """Tell whether the caller may read all that an organiser of the competition reads."""
    return may(who, competition, CompetitionRole.REVIEWER)


def require_organiser(who: Principal, competition: Competition) -> None:
    """Raise NotOrganiser unless the caller may run the competition."""
    require(who, competition, CompetitionRole.ORGANISER)


def require_writable(competition: Competition) -> None:
    """Raise CompetitionArchived if nothing of the competition may change."""
    if competition.visibility is Visibility.ARCHIVED:
        raise CompetitionArchived(
            f"{competition.slug!r} is archived: it can be read, but nothing changes any more. Its organiser can set "
            "`visibility` in its file."
        )
