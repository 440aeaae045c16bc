"""Finds, creates and changes competitions and their phases, and decides who may."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import contains_eager, joinedload

from services.api.competitions.schemas import NewCompetition, NewPhase, PhaseChange
from services.api.kit.auth import Principal
from services.api.kit.finding import find_competition
from services.api.kit.policy import may, require
from services.core import environments
from services.core.bundle.manifest import Manifest, require_oracle
from services.core.errors import BadInput, Conflict, NotFound
from services.core.finals import acts as finals
from services.core.models import Account, Act, BenchmarkRow, Competition, CompetitionRole, Phase, PhaseKind
from services.core.record.acts import record
from services.core.store.database import ReadSession, WriteSession, utc_now
from services.core.submission.notebook import require_notebooks

__all__ = [
    "PHASE",
    "BadWindow",
    "BenchmarkNotPublished",
    "SlugTaken",
    "add_phase",
    "change_phase",
    "create_competition",
    "find_competition",
    "find_phase",
    "organises",
    "owners_of",
    "phases_of",
    "require_organiser",
    "reviews",
    "weigh_competition",
]


# Built once, because most requests begin with one of them.
PHASE = (
    select(Phase)
    .join(Competition, Competition.id == Phase.competition_id)
    .where(Competition.slug == bindparam("competition"), Phase.slug == bindparam("phase"))
)
WHOLE_PHASE = PHASE.options(
    contains_eager(Phase.competition), joinedload(Phase.benchmark), joinedload(Phase.final_part)
)
OF_FINALS = {"entered_by", "selects", "draws_from", "further_benchmarks"}  # settings that phases do not have


class SlugTaken(Conflict):
    code = "slug_taken"


class BenchmarkNotPublished(BadInput):
    code = "unknown_benchmark"


class BadWindow(BadInput):
    code = "bad_window"


def find_phase(session: ReadSession, competition: str, slug: str, statement: Select[Phase] = WHOLE_PHASE) -> Phase:
    """Find a phase with its competition and benchmark. Raises NotFound, which names the missing one.

    A `statement` made of PHASE reads less.
    """
    phase = session.scalars(statement, {"competition": competition, "phase": slug}).one_or_none()
    if phase is None:
        find_competition(session, competition)
        raise NotFound(
            f"Competition {competition!r} has no phase {slug!r}. "
            f"See GET /api/competitions/{competition} for its phases."
        )
    return phase


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


def organises(who: Principal | None, competition: Competition) -> bool:
    """Tell whether the caller may run the competition."""
    return may(who, competition, CompetitionRole.ORGANISER)


def reviews(who: Principal | None, competition: Competition) -> bool:
    """Tell whether the caller may read all that an organiser of the competition reads."""
    return may(who, competition, CompetitionRole.REVIEWER)


def require_organiser(who: Principal, competition: Competition) -> None:
    """Raise NotOrganiser unless the caller may run the competition."""
    require(who, competition, CompetitionRole.ORGANISER)


def create_competition(session: WriteSession, who: Principal, new: NewCompetition) -> Competition:
    """Create a competition that the caller owns. Raises SlugTaken."""
    competition = Competition(**new.model_dump(), owner_id=who.account_id)
    session.add(competition)
    _flush(session, f"A competition {new.slug!r} already exists.")
    details = new.model_dump(mode="json")
    record(session, Act.COMPETITION_CREATED, competition_id=competition.id, account_id=who.account_id, details=details)
    return competition


def weigh_competition(session: WriteSession, who: Principal, competition: Competition, weight: int) -> None:
    """Change how many shards of each of its teams run in one turn."""
    competition.weight = weight
    details = {"weight": weight}
    record(session, Act.COMPETITION_WEIGHED, competition_id=competition.id, account_id=who.account_id, details=details)


def add_phase(session: WriteSession, who: Principal, competition: Competition, new: NewPhase) -> Phase:
    """Add a phase on a published benchmark. Raises BenchmarkNotPublished, SlugTaken, BadWindow.

    Raises TooManyModels if its oracle has fewer models than the phase has runs, NotForNotebooks, UnknownEnvironment. A
    sealed final gets a phase for each of its benchmarks; it raises NotFound for a phase that it cannot draw from.
    """
    if new.closes_at <= utc_now():
        raise BadWindow(
            f"The phase would have closed already, at {new.closes_at:%Y-%m-%d %H:%M:%S} UTC. Correct closes_at."
        )
    for slug in new.draws_from or ():
        _require_uploads_to(session, competition, slug)
    names = [new.benchmark, *new.further_benchmarks]
    benchmarks = [_find_benchmark(session, name) for name in names]
    if len({one.id for one in benchmarks}) < len(benchmarks):
        raise BadInput("Two of the benchmarks are the same. Name each of them once.")
    slugs = [new.slug, *(f"{new.slug}-{number}" for number in range(2, len(names) + 1))]
    phases = [_add_one(session, competition, new, slug, one) for slug, one in zip(slugs, benchmarks, strict=True)]
    promised: dict[str, object] = {}
    if new.is_sealed_final:
        final = finals.make(session, phases, selects=new.selects, draws_from=new.draws_from)
        promised = {"commitment": final.commitment}
    for phase in phases:
        settings = new.model_dump(mode="json", exclude={"slug", "benchmark", "further_benchmarks"})
        settings |= {"benchmark": phase.benchmark.digest, "data_hidden": phase.data_hidden}
        _record(session, Act.PHASE_ADDED, who, phase, **settings, **promised)
    return phases[0]


def _require_uploads_to(session: ReadSession, competition: Competition, slug: str) -> None:
    """Raise NotFound unless a competition has a phase of that name that takes uploads."""
    phase = find_phase(session, competition.slug, slug)
    if phase.final_part is not None:
        raise NotFound(f"Phase {slug!r} takes no uploads, so nothing can be drawn from it. Name another phase.")


def _add_one(
    session: WriteSession, competition: Competition, new: NewPhase, slug: str, benchmark: BenchmarkRow
) -> Phase:
    require_oracle(new.seeds, benchmark.manifest["oracle_seeds"])
    if new.notebooks:
        require_notebooks(Manifest.model_validate(benchmark.manifest))
    hidden = new.kind is not PhaseKind.CHECK if new.data_hidden is None else new.data_hidden
    phase = Phase(
        **new.model_dump(exclude={"slug", "benchmark", "data_hidden", "environment", *OF_FINALS}),
        slug=slug,
        environment=environments.choose(session, new.environment, new.device),
        competition=competition,
        benchmark=benchmark,
        data_hidden=hidden,
    )
    session.add(phase)
    _flush(session, f"{competition.slug!r} already has a phase {slug!r}.")
    return phase


def change_phase(session: WriteSession, who: Principal, phase: Phase, change: PhaseChange) -> Phase:
    """Change the dates or the quota. Raises BadWindow."""
    for name, value in change.model_dump(exclude_none=True).items():
        setattr(phase, name, value)
    if phase.closes_at <= phase.opens_at:
        raise BadWindow("closes_at must be later than opens_at.")
    session.flush()
    _record(session, Act.PHASE_CHANGED, who, phase, **change.model_dump(mode="json", exclude_none=True))
    return phase


def _record(session: WriteSession, act: Act, who: Principal, phase: Phase, **details: object) -> None:
    own = {"phase": phase.slug, **details}
    record(session, act, competition_id=phase.competition_id, account_id=who.account_id, details=own)


def _phases(*competitions: Competition) -> Select[Phase]:
    return (
        select(Phase)
        .options(joinedload(Phase.competition), joinedload(Phase.benchmark), joinedload(Phase.final_part))
        .where(Phase.competition_id.in_([competition.id for competition in competitions]))
    )


def _find_benchmark(session: ReadSession, wanted: str) -> BenchmarkRow:
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
