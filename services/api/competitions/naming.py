"""Short names that are already taken."""

from sqlalchemy.exc import IntegrityError

from services.core.errors import Conflict
from services.core.store.database import WriteSession

__all__ = ["SlugTaken", "flush_named"]


class SlugTaken(Conflict):
    code = "slug_taken"


def flush_named(session: WriteSession, problem: str) -> None:
    """Write what waits. Raises SlugTaken, with the problem in words, if a short name is taken."""
    try:
        session.flush()
    except IntegrityError as error:
        raise SlugTaken(f"{problem} Choose a different slug.") from error
