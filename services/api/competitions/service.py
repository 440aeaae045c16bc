"""Finds, creates and changes competitions and their phases, and decides who may."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Boolean, Select, bindparam, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import contains_eager, joinedload

from services.api.competitions.promises import breaks, in_words, is_relied_on, require_confirmation
from services.api.competitions.schemas import NewCompetition, NewPhase, PhaseChange
from services.api.kit.auth import Principal
from services.api.kit.policy import Forbidden
from services.core import environments
from services.core.bundle.manifest import Manifest, require_oracle
from services.core.errors import BadInput, Conflict, NotFound
from services.core.models import Account, Act, BenchmarkRow, Competition, Phase, PhaseKind, Visibility
from services.core.record.acts import record
from services.core.store.database import ReadSession, WriteSession, utc_now
from services.core.submission.notebook import require_notebooks

__all__ = [
    "HELD_PHASE",
    "PHASE",
    "UNSEEN",
    "WHOLE_PHASE",
    "BadWindow",
    "BenchmarkNotPublished",
    "CompetitionArchived",
    "NotOrganiser",
    "SlugTaken",
    "add_phase",
    "change_phase",
    "competitions_seen_by",
    "create_competition",
    "find_benchmark",
    "find_competition",
    "find_phase",
    "organisers_of",
    "organises",
    "phases_of",
    "require_organiser",
    "require_writable",
    "weigh_competition",
]


UNSEEN = (Visibility.DRAFT, Visibility.DELETED)  # for all but their organisers
# Built once, because most requests begin with one of them.
PHASE = (
    select(Phase)
    .join(Competition, Competition.id == Phase.competition_id)
    .where(Competition.slug == bindparam("competition"), Phase.slug == bindparam("phase"))
    .where(or_(Competition.visibility.not_in(UNSEEN), bindparam("drafts", type_=Boolean)))
)
WHOLE_PHASE = PHASE.options(contains_eager(Phase.competition), joinedload(Phase.benchmark))
# As it is now, and until the transaction ends: nobody changes it, but others may hold it, too, and its board may move.
HELD_PHASE = (
    PHASE.options(contains_eager(Phase.competition))
    .with_for_update(read=True, key_share=True, of=Phase)
    .execution_options(populate_existing=True)
)


class SlugTaken(Conflict):
    code = "slug_taken"


class BenchmarkNotPublished(BadInput):
    code = "unknown_benchmark"


class BadWindow(BadInput):
    code = "bad_window"


class CompetitionArchived(Conflict):
    code = "competition_archived"


class NotOrganiser(Forbidden):
    code = "not_organiser"


def find_competition(session: ReadSession, slug: str, who: Principal | None = None) -> Competition:
    """Find a competition that the caller may see; a draft only if they organise it. Raises NotFound."""
    competition = session.scalars(select(Competition).where(Competition.slug == slug)).one_or_none()
    if competition is None or not _is_seen(competition, who):
        raise NotFound(f"There is no competition {slug!r}. See GET /api/competitions for all competitions.")
    return competition


def find_phase(
    session: ReadSession,
    competition: str,
    slug: str,
    statement: Select[Phase] = WHOLE_PHASE,
    *,
    who: Principal | None = None,
) -> Phase:
    """Find a phase with its competition and benchmark. Raises NotFound, which names the missing one.

    The phase of a draft is found only for those who organise it. A `statement` made of PHASE reads less.
    """
    wanted = {"competition": competition, "phase": slug}
    phase = session.scalars(statement, wanted | {"drafts": False}).one_or_none()
    if phase is None and _is_draft(find_competition(session, competition, who)):
        phase = session.scalars(statement, wanted | {"drafts": True}).one_or_none()
    if phase is None:
        raise NotFound(
            f"Competition {competition!r} has no phase {slug!r}. "
            f"See GET /api/competitions/{competition} for its phases."
        )
    return phase


def competitions_seen_by(who: Principal | None) -> Select[Competition]:
    """Select the competitions that a list shows: public and archived ones, and what the caller organises."""
    statement = select(Competition).where(Competition.visibility != Visibility.DELETED)
    if who is not None and who.is_operator:
        return statement
    listed = Competition.visibility.in_((Visibility.PUBLIC, Visibility.ARCHIVED))
    return statement.where(listed if who is None else or_(listed, Competition.organiser_id == who.account_id))


def _is_draft(competition: Competition) -> bool:
    return competition.visibility is Visibility.DRAFT


def _is_seen(competition: Competition, who: Principal | None) -> bool:
    if competition.visibility is Visibility.DELETED:
        return False
    return not _is_draft(competition) or organises(who, competition)


def phases_of(session: ReadSession, competitions: Sequence[Competition]) -> dict[UUID, list[Phase]]:
    """List the phases of each competition, by its id, in the order in which they open."""
    found: dict[UUID, list[Phase]] = {competition.id: [] for competition in competitions}
    for phase in session.scalars(_phases(*competitions).order_by(Phase.opens_at, Phase.slug)):
        found[phase.competition_id].append(phase)
    return found


def organisers_of(session: ReadSession, competitions: list[Competition]) -> list[str]:
    """Return the organiser's username of each competition, in the same order."""
    wanted = {competition.organiser_id for competition in competitions}
    accounts = session.scalars(select(Account).where(Account.id.in_(wanted)))
    names = {account.id: account.username for account in accounts}
    return [names[competition.organiser_id] for competition in competitions]


def organises(who: Principal | None, competition: Competition) -> bool:
    """Tell whether the caller may run the competition."""
    return who is not None and (who.is_operator or who.account_id == competition.organiser_id)


def require_organiser(who: Principal, competition: Competition) -> None:
    """Raise NotOrganiser unless the caller may run the competition."""
    if not organises(who, competition):
        raise NotOrganiser(f"Only the organiser of {competition.slug!r} or an operator may do this.")


def require_writable(competition: Competition) -> None:
    """Raise CompetitionArchived if nothing of the competition may change."""
    if competition.visibility is Visibility.ARCHIVED:
        raise CompetitionArchived(
            f"{competition.slug!r} is archived: it can be read, but nothing changes any more. Its organiser can set "
            "`visibility` in its file."
        )


def create_competition(session: WriteSession, who: Principal, new: NewCompetition) -> Competition:
    """Create a competition that the caller runs. Raises SlugTaken."""
    competition = Competition(**new.model_dump(), organiser_id=who.account_id)
    session.add(competition)
    _flush(session, f"A competition {new.slug!r} already exists.")
    details = new.model_dump(mode="json")
    record(session, Act.COMPETITION_CREATED, competition_id=competition.id, account_id=who.account_id, details=details)
    return competition


def weigh_competition(session: WriteSession, who: Principal, competition: Competition, weight: int) -> None:
    """Change how many shards of each of its teams run in one turn. Raises CompetitionArchived."""
    require_writable(competition)
    competition.weight = weight
    details = {"weight": weight}
    record(session, Act.COMPETITION_WEIGHED, competition_id=competition.id, account_id=who.account_id, details=details)


def add_phase(session: WriteSession, who: Principal, competition: Competition, new: NewPhase) -> Phase:
    """Add a phase on a published benchmark. Raises NotOrganiser, BenchmarkNotPublished, SlugTaken, BadWindow.

    Raises TooManyModels if its oracle has fewer models than the phase has runs, NotForNotebooks, UnknownEnvironment.
    """
    require_organiser(who, competition)
    require_writable(competition)
    if new.closes_at <= utc_now():
        raise BadWindow(
            f"The phase would have closed already, at {new.closes_at:%Y-%m-%d %H:%M:%S} UTC. Correct closes_at."
        )
    benchmark = find_benchmark(session, new.benchmark)
    require_oracle(new.seeds, benchmark.manifest["oracle_seeds"])
    if new.notebooks:
        require_notebooks(Manifest.model_validate(benchmark.manifest))
    hidden = new.kind is not PhaseKind.CHECK if new.data_hidden is None else new.data_hidden
    phase = Phase(
        **new.model_dump(exclude={"benchmark", "data_hidden", "environment"}),
        environment=environments.choose(session, new.environment, new.device),
        competition=competition,
        benchmark=benchmark,
        data_hidden=hidden,
    )
    session.add(phase)
    _flush(session, f"{competition.slug!r} already has a phase {new.slug!r}.")
    settings = new.model_dump(mode="json", exclude={"slug"}) | {"benchmark": benchmark.digest, "data_hidden": hidden}
    _record(session, Act.PHASE_ADDED, who, phase, **settings)
    return phase


def change_phase(session: WriteSession, who: Principal, phase: Phase, change: PhaseChange) -> list[str]:
    """Change the dates or the quota; return what participants must be told.

    Raises BadWindow, NotOrganiser, CompetitionArchived, or ConfirmationNeeded if it takes something from participants.
    """
    require_organiser(who, phase.competition)
    require_writable(phase.competition)
    new = change.model_dump(exclude_none=True, exclude={"confirm"})
    old = {name: getattr(phase, name) for name in new}
    broken: list[str] = []
    if is_relied_on(phase.competition.visibility, phase.opens_at, utc_now()):
        broken = [name for name in new if breaks(name, old[name], new[name])]
    for name, value in new.items():
        setattr(phase, name, value)
    if phase.closes_at <= phase.opens_at:
        raise BadWindow("closes_at must be later than opens_at.")
    require_confirmation([f"phases.{phase.slug}.{name}" for name in broken], confirm=change.confirm)
    session.flush()
    _record(session, Act.PHASE_CHANGED, who, phase, **change.model_dump(mode="json", include=set(new)))
    return [in_words(f"{phase.slug}.{name}", old[name], new[name]) for name in broken]


def _record(session: WriteSession, act: Act, who: Principal, phase: Phase, **details: object) -> None:
    own = {"phase": phase.slug, **details}
    record(session, act, competition_id=phase.competition_id, account_id=who.account_id, details=own)


def _phases(*competitions: Competition) -> Select[Phase]:
    return (
        select(Phase)
        .options(joinedload(Phase.competition), joinedload(Phase.benchmark))
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


def _flush(session: WriteSession, problem: str) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise SlugTaken(f"{problem} Choose a different slug.") from error
