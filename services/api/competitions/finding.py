"""Finds competitions, their phases and published benchmarks, as far as the caller may see them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Boolean, Select, bindparam, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from services.api.competitions.rights import require_writable
from services.api.kit.auth import Principal
from services.api.kit.finding import UNSEEN, find_competition
from services.core.errors import BadInput, NotFound
from services.core.models import Account, BenchmarkRow, Competition, Member, Phase, Visibility
from services.core.store.database import ReadSession

__all__ = [
    "HELD_PHASE",
    "PHASE",
    "WHOLE_PHASE",
    "BenchmarkNotPublished",
    "competitions_seen_by",
    "find_benchmark",
    "find_phase",
    "find_writable",
    "owners_of",
    "phases_of",
]

# Built once, because most requests begin with one of them.
PHASE = (
    select(Phase)
    .join(Competition, Competition.id == Phase.competition_id)
    .where(Competition.slug == bindparam("competition"), Phase.slug == bindparam("phase"))
    .where(or_(Competition.visibility.not_in(UNSEEN), bindparam("drafts", type_=Boolean)))
)
WHOLE_PHASE = PHASE.options(
    contains_eager(Phase.competition), joinedload(Phase.benchmark), joinedload(Phase.final_part)
)
# As it is now, and until the transaction ends: nobody changes it, but others may hold it, too, and its board may move.
HELD_PHASE = (
    PHASE.options(contains_eager(Phase.competition))
    .with_for_update(read=True, key_share=True, of=Phase)
    .execution_options(populate_existing=True)
)


class BenchmarkNotPublished(BadInput):
    code = "unknown_benchmark"


def find_phase(
    session: ReadSession,
    competition: str,
    slug: str,
    statement: Select[Phase] = WHOLE_PHASE,
    *,
    who: Principal | None = None,
) -> Phase:
    """Find a phase with its competition and benchmark. Raises NotFound, which names the missing one.

    The phase of a draft is found only for those who run or review it. A `statement` made of PHASE reads less.
    """
    wanted = {"competition": competition, "phase": slug}
    phase = session.scalars(statement, wanted | {"drafts": False}).one_or_none()
    if phase is None and _is_draft(find_competition(session, competition, who)):
        phase = session.scalars(statement, wanted | {"drafts": True}).one_or_none()
    if phase is None:
        raise NotFound(
            f"Competition {competition!r} has no phase {slug!r}. "
            f"`lethe phases {competition}` and its page list its phases."
        )
    return phase


def competitions_seen_by(who: Principal | None) -> Select[Competition]:
    """Select the competitions that a list shows: public and archived ones, and what the caller runs or reviews."""
    statement = select(Competition).where(Competition.visibility != Visibility.DELETED)
    if who is not None and who.is_operator:
        return statement
    listed = Competition.visibility.in_((Visibility.PUBLIC, Visibility.ARCHIVED))
    if who is None:
        return statement.where(listed)
    reviewed = select(Member.competition_id).where(Member.account_id == who.account_id)
    return statement.where(or_(listed, Competition.owner_id == who.account_id, Competition.id.in_(reviewed)))


def _is_draft(competition: Competition) -> bool:
    return competition.visibility is Visibility.DRAFT


def phases_of(session: ReadSession, competitions: Sequence[Competition]) -> dict[UUID, list[Phase]]:
    """List the phases of each competition, by its id, in the order in which they open."""
    found: dict[UUID, list[Phase]] = {competition.id: [] for competition in competitions}
    for phase in session.scalars(_phases(*competitions).order_by(Phase.opens_at, Phase.slug)):
        found[phase.competition_id].append(phase)
    return found


def owners_of(session: ReadSession, competitions: list[Competition]) -> list[str]:
    """Return the username of each competition's owner, in the same order."""
    wanted = {competition.owner_id for competition in competitions}
    accounts = session.scalars(select(Account).where(Account.id.in_(wanted)))
    names = {account.id: account.username for account in accounts}
    return [names[competition.owner_id] for competition in competitions]


def find_writable(session: ReadSession, slug: str, who: Principal) -> Competition:
    """Find a competition that the caller may see, to change something of it. Raises NotFound or CompetitionArchived."""
    competition = find_competition(session, slug, who)
    require_writable(competition)
    return competition


def _phases(*competitions: Competition) -> Select[Phase]:
    return (
        select(Phase)
        .options(joinedload(Phase.competition), joinedload(Phase.benchmark), joinedload(Phase.final_part))
        .where(Phase.competition_id.in_([competition.id for competition in competitions]))
    )


def find_benchmark(session: ReadSession, wanted: str) -> BenchmarkRow:
    """Find a published benchmark by digest, or the newest of a name. Raises BenchmarkNotPublished."""
    found = session.scalars(
        select(BenchmarkRow)
        .where(or_(BenchmarkRow.name == wanted, BenchmarkRow.digest == wanted))
        .order_by(BenchmarkRow.created_at.desc(), BenchmarkRow.id)
        .limit(1)
    ).one_or_none()
    if found is None:
        raise BenchmarkNotPublished(
            f"Benchmark {wanted!r} is not published. Build it with `lethe benchmark build`, then publish it with "
            "`lethe benchmark publish`."
        )
    return found
