"""Finds, creates and changes competitions and their phases, and decides who may."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Boolean, Select, bindparam, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import contains_eager, joinedload

from services.api.competitions.promises import breaks, in_words, is_relied_on, require_confirmation
from services.api.competitions.schemas import NewCompetition, NewPhase, PhaseChange
from services.api.kit.auth import Principal
from services.api.kit.finding import UNSEEN, find_competition
from services.api.kit.roles import may, require
from services.core import environments
from services.core.bundle.manifest import Manifest, placebo_runs, require_oracle, robustness_of
from services.core.errors import BadInput, Conflict, NotFound
from services.core.finals import acts as finals
from services.core.models import (
    Account,
    Act,
    BenchmarkRow,
    Competition,
    CompetitionRole,
    Final,
    Member,
    Phase,
    PhaseKind,
    Visibility,
)
from services.core.record.acts import record
from services.core.references import asking as references
from services.core.store.database import ReadSession, WriteSession, utc_now
from services.core.submission.notebook import require_notebooks

__all__ = [
    "HELD_PHASE",
    "OF_FINALS",
    "PHASE",
    "UNSEEN",
    "WHOLE_PHASE",
    "BadWindow",
    "BenchmarkNotPublished",
    "CompetitionArchived",
    "SlugTaken",
    "add_phase",
    "change_phase",
    "competitions_seen_by",
    "create_competition",
    "find_benchmark",
    "find_competition",
    "find_phase",
    "find_writable",
    "insert_phases",
    "organises",
    "owners_of",
    "phases_of",
    "require_organiser",
    "require_writable",
    "reviews",
    "weigh_competition",
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
OF_FINALS = {"entered_by", "selects", "draws_from", "further_benchmarks"}  # settings that phases do not have
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


def find_writable(session: ReadSession, slug: str, who: Principal) -> Competition:
    """Find a competition that the caller may see, to change something of it. Raises NotFound or CompetitionArchived."""
    competition = find_competition(session, slug, who)
    require_writable(competition)
    return competition


def create_competition(session: WriteSession, who: Principal, new: NewCompetition) -> Competition:
    """Create a competition that the caller owns. Raises SlugTaken."""
    competition = Competition(**new.model_dump(), owner_id=who.account_id)
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
    """Add a phase on a published benchmark. Raises BenchmarkNotPublished, SlugTaken, BadWindow.

    Raises TooManyModels if its oracle has fewer models than the phase has runs, NotForNotebooks, NoRobustness,
    UnknownEnvironment. A
    sealed final gets a phase for each of its benchmarks; it raises NotFound for a phase that it cannot draw from.
    """
    require_writable(competition)
    if new.closes_at <= utc_now():
        raise BadWindow(
            f"The phase would have closed already, at {new.closes_at:%Y-%m-%d %H:%M:%S} UTC. Correct closes_at."
        )
    phases, final = insert_phases(session, competition, new)
    promised = {} if final is None else {"commitment": final.commitment}
    for phase in phases:
        settings = new.model_dump(mode="json", exclude={"slug", "benchmark", "further_benchmarks"})
        settings |= {"benchmark": phase.benchmark.digest, "data_hidden": phase.data_hidden}
        _record(session, Act.PHASE_ADDED, who, phase, **settings, **promised)
    return phases[0]


def insert_phases(session: WriteSession, competition: Competition, new: NewPhase) -> tuple[list[Phase], Final | None]:
    """Insert a phase; of a sealed final, one for each benchmark, and the final. Raises what `add_phase` does."""
    for slug in new.draws_from or ():
        _require_uploads_to(session, competition, slug)
    names = [new.benchmark, *new.further_benchmarks]
    benchmarks = [find_benchmark(session, name) for name in names]
    if len({one.id for one in benchmarks}) < len(benchmarks):
        raise BadInput("Two of the benchmarks are the same. Name each of them once.")
    slugs = [new.slug, *(f"{new.slug}-{number}" for number in range(2, len(names) + 1))]
    phases = [_add_one(session, competition, new, slug, one) for slug, one in zip(slugs, benchmarks, strict=True)]
    if not new.is_sealed_final:
        return phases, None
    return phases, finals.make(session, phases, selects=new.selects, draws_from=new.draws_from)


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
    if new.robustness:
        robustness_of(Manifest.model_validate(benchmark.manifest))
    if new.placebo_audit:
        placebo_runs(Manifest.model_validate(benchmark.manifest), new.seeds)
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
    if new.references:
        references.ask(session, phase)
    return phase


def change_phase(session: WriteSession, who: Principal, phase: Phase, change: PhaseChange) -> list[str]:
    """Change the dates or the quota; return what participants must be told.

    Raises BadWindow, CompetitionArchived, or ConfirmationNeeded if it takes something from participants.
    """
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


def _flush(session: WriteSession, problem: str) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise SlugTaken(f"{problem} Choose a different slug.") from error
