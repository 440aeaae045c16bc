"""Creates competitions, and changes their weight in the queue."""

from services.api.competitions.naming import flush_named
from services.api.competitions.rights import require_writable
from services.api.competitions.schemas import NewCompetition
from services.api.kit.auth import Principal
from services.core.models import Act, Competition
from services.core.record.acts import record
from services.core.store.database import WriteSession

__all__ = ["create_competition", "weigh_competition"]


def create_competition(session: WriteSession, who: Principal, new: NewCompetition) -> Competition:
    """Create a competition that the caller owns. Raises SlugTaken."""
    competition = Competition(**new.model_dump(), owner_id=who.account_id)
    session.add(competition)
    flush_named(session, f"A competition {new.slug!r} already exists.")
    details = new.model_dump(mode="json")
    record(session, Act.COMPETITION_CREATED, competition_id=competition.id, account_id=who.account_id, details=details)
    return competition


def weigh_competition(session: WriteSession, who: Principal, competition: Competition, weight: int) -> None:
    """Change how many shards of each of its teams run in one turn. Raises CompetitionArchived."""
    require_writable(competition)
    competition.weight = weight
    details = {"weight": weight}
    record(session, Act.COMPETITION_WEIGHED, competition_id=competition.id, account_id=who.account_id, details=details)
