"""Finding the competition that a path names."""

from sqlalchemy import select

from services.core.errors import NotFound
from services.core.models import Competition
from services.core.store.database import ReadSession

__all__ = ["find_competition"]


def find_competition(session: ReadSession, slug: str) -> Competition:
    """Find a competition. Raises NotFound."""
    competition = session.scalars(select(Competition).where(Competition.slug == slug)).one_or_none()
    if competition is None:
        raise NotFound(f"There is no competition {slug!r}. See GET /api/competitions for all competitions.")
    return competition
