"""Finding the competition that a path names, if the caller may see it."""

from sqlalchemy import select

from services.api.kit.auth import Principal
from services.api.kit.roles import role_in
from services.core.errors import NotFound
from services.core.models import Competition, Visibility
from services.core.store.database import ReadSession

__all__ = ["UNSEEN", "find_competition"]

UNSEEN = (Visibility.DRAFT, Visibility.DELETED)  # for all but those who run or review them


def find_competition(session: ReadSession, slug: str, who: Principal | None = None) -> Competition:
    """Find a competition that the caller may see; a draft only if they run or review it. Raises NotFound."""
    competition = session.scalars(select(Competition).where(Competition.slug == slug)).one_or_none()
    if competition is None or not _is_seen(competition, who):
        raise NotFound(
            f"There is no competition {slug!r}. Check the name: `lethe competitions` and the home page list all."
        )
    return competition


def _is_seen(competition: Competition, who: Principal | None) -> bool:
    if competition.visibility is Visibility.DELETED:
        return False
    return competition.visibility is not Visibility.DRAFT or role_in(who, competition) is not None
