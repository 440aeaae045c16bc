"""Adds and changes phases. A sealed final has a phase for each of its benchmarks."""

from services.api.competitions.finding import find_benchmark, find_phase
from services.api.competitions.naming import flush_named
from services.api.competitions.promises import breaks, in_words, is_relied_on, require_confirmation
from services.api.competitions.rights import require_writable
from services.api.kit.auth import Principal
from services.api.phases.schemas import NewPhase, PhaseChange
from services.core import environments
from services.core.bundle.manifest import Manifest, placebo_runs, require_oracle, robustness_of
from services.core.errors import BadInput, NotFound
from services.core.finals import acts as finals
from services.core.models import Act, BenchmarkRow, Competition, Final, Phase, PhaseKind
from services.core.record.acts import record
from services.core.references import asking as references
from services.core.store.database import ReadSession, WriteSession, utc_now
from services.core.submission.notebook import require_notebooks

__all__ = ["OF_FINALS", "BadWindow", "add_phase", "change_phase", "insert_phases"]

OF_FINALS = {"entered_by", "selects", "draws_from", "further_benchmarks"}  # settings that phases do not have


class BadWindow(BadInput):
    code = "bad_window"


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
    flush_named(session, f"{competition.slug!r} already has a phase {slug!r}.")
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
