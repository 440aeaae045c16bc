"""What a file may not say although its form is right: what benchmarks, submissions and roles do not allow."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from services.api.competitions.finding import BenchmarkNotPublished, find_benchmark
from services.api.files.form import CompetitionFile, PhaseSection
from services.api.files.reading import Reading, Section
from services.api.files.roles import check_roles
from services.api.files.stored import entering, heads_of, parts_of
from services.api.files.text import MAX_BYTES
from services.api.files.writing import write_file
from services.api.kit.auth import Principal
from services.core import environments
from services.core.bundle.manifest import (
    Manifest,
    NoPlacebos,
    NoRobustness,
    TooManyModels,
    placebo_runs,
    require_oracle,
    robustness_of,
)
from services.core.device import Device
from services.core.errors import BadInput
from services.core.models import (
    BenchmarkRow,
    Campaign,
    Competition,
    Phase,
    PhaseKind,
    Reference,
    RegistrationMode,
    Selection,
    Submission,
    Visibility,
)
from services.core.references.asking import has_rows, is_platforms
from services.core.store.database import ReadSession
from services.core.submission.notebook import NotForNotebooks, require_notebooks

__all__ = ["Checked", "check_file", "is_used"]

# A board holds entries that ran alike, and receipts say so.
FIXED_BY_SUBMISSIONS = ("kind", "benchmark", "seeds", "metric", "device", "environment")
FIXED_BY_ENTRIES = ("max_time_ratio",)


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be applied: every setting is decided, and each phase has its benchmark."""

    file: CompetitionFile
    benchmarks: dict[str, BenchmarkRow]  # by the phase's short name


def check_file(
    session: ReadSession,
    who: Principal,
    reading: Reading,
    *,
    competition: Competition | None,
    phases: list[Phase],
    now: datetime,
) -> Checked:
    """Decide what a file leaves open, and judge it against the database. Raises BadFile, which names every mistake."""
    checker = _Checker(session, reading, phases, now)
    for section in reading.phases:
        checker.phase(section)
    checker.missing_phases()
    checker.competition(who, competition)
    roles = check_roles(session, who, reading, competition)
    file = reading.whole()
    weight = file.weight or (competition.weight if competition else 1)
    registration = file.registration or (competition.registration if competition else RegistrationMode.OPEN)
    sections = [checker.decided[one.slug] for one in file.phases]
    decided = file.model_copy(
        update={
            "weight": weight,
            "registration": registration,
            "organisers": roles.organisers,
            "reviewers": roles.reviewers,
            "phases": sections,
        }
    )
    if len(write_file(decided).encode()) > MAX_BYTES:
        reading.complain((), f"Written out, the file is larger than {MAX_BYTES // 1024} KiB.", "Shorten its texts.")
        reading.whole()
    return Checked(decided, checker.benchmarks)


def is_used(session: ReadSession, parts: list[Phase]) -> bool:
    """Tell whether anything was submitted to a phase by people, selected for it or computed in it."""
    ids = [phase.id for phase in parts]
    used = [exists().where(Submission.phase_id.in_(ids), ~is_platforms()), exists().where(Campaign.phase_id.in_(ids))]
    used += [exists().where(Selection.final_id == part.final_part.final_id) for part in parts[:1] if part.final_part]
    return any(session.scalar(select(one)) for one in used)


class _Checker:
    def __init__(self, session: ReadSession, reading: Reading, phases: list[Phase], now: datetime) -> None:
        self._session = session
        self._reading = reading
        self._phases = phases
        self._stored = heads_of(phases)
        self._now = now
        self.decided: dict[str, PhaseSection] = {}
        self.benchmarks: dict[str, BenchmarkRow] = {}

    def competition(self, who: Principal, competition: Competition | None) -> None:
        head = self._reading.head
        if head is None:
            return
        if head.weight not in (None, competition.weight if competition else 1) and not who.is_operator:
            self._complain(("weight",), "Only an operator changes the weight.", "Leave `weight` out.")
        was_draft = competition is None or competition.visibility is Visibility.DRAFT
        if head.visibility is Visibility.DRAFT and not was_draft and self._has_entries(*self._stored.values()):
            problem = "Teams have submitted already, and a draft would hide their boards from them."
            self._complain(("visibility",), problem, "Choose `unlisted` to take the competition off the list.")

    def missing_phases(self) -> None:
        named = {one.raw.get("slug") for one in self._reading.phases}
        for slug in self._stored.keys() - named:
            parts = self._parts(self._stored[slug])
            if self._is_used(self._stored[slug]) or has_rows(self._session, parts):
                problem = f"Phase `{slug}` is missing, but it has submissions, selections or rescorings."
                self._complain(("phases",), problem, "Put it back; `lethe competition export` shows how it is.")

    def phase(self, section: Section) -> None:
        slug = section.raw.get("slug")
        old = self._stored.get(slug) if isinstance(slug, str) else None
        benchmark = self._benchmark(section, old)
        if old is None and section.part is not None and section.part.closes_at <= self._now:
            self._complain((*section.path, "closes_at"), "The phase would have closed already.", "Set a later time.")
        if section.part is None:
            return
        decided = section.part.model_copy(
            update={
                "benchmark": benchmark.digest if benchmark else section.part.benchmark,
                "data_hidden": _hidden(section.part),
                "environment": self._environment(section, old),
                "entered_by": entering(section.part.kind, sealed=section.part.is_sealed_final),
                "further_benchmarks": self._further(section, old),
            }
        )
        self.decided[section.part.slug] = decided
        if benchmark is not None:
            self.benchmarks[section.part.slug] = benchmark
        self._draws_from(section)
        if old is not None:
            self._keep_what_is_fixed(section, decided, old)
            self._keep_the_final(section, decided, old)

    def _benchmark(self, section: Section, old: Phase | None) -> BenchmarkRow | None:
        wanted = section.raw.get("benchmark")
        if not isinstance(wanted, str):
            return None
        path = (*section.path, "benchmark")
        if old is not None and wanted in (old.benchmark.name, old.benchmark.digest):
            found = old.benchmark  # a name means the newest when the phase is made, not whenever its file is applied
        else:
            try:
                found = find_benchmark(self._session, wanted)
            except BenchmarkNotPublished as error:
                problem, _, remedy = error.message.partition(". ")
                self._complain(path, f"{problem}.", remedy)
                return None
            if found.manifest.get("accepted_unfit") is None:
                for problem in found.manifest.get("fitness", {}).get("problems", ()):
                    self._complain(path, f"Benchmark {wanted!r} is unfit: {problem}", "Choose another benchmark.")
        self._fit(section, found, old)
        return found

    def _fit(self, section: Section, benchmark: BenchmarkRow, old: Phase | None) -> None:
        """Judge runs and notebooks against the benchmark; what a stored phase has already is not judged again."""
        is_same = old is not None and old.benchmark_id == benchmark.id
        seeds = section.raw.get("seeds", PhaseSection.model_fields["seeds"].default)
        if isinstance(seeds, int) and not (is_same and old is not None and old.seeds == seeds):
            try:
                require_oracle(seeds, benchmark.manifest["oracle_seeds"])
            except TooManyModels as error:
                self._told((*section.path, "seeds"), error)
        if section.raw.get("notebooks") is True and not (is_same and old is not None and old.notebooks):
            try:
                require_notebooks(Manifest.model_validate(benchmark.manifest))
            except NotForNotebooks as error:
                self._told((*section.path, "notebooks"), error)
        if section.raw.get("robustness") is True and not (is_same and old is not None and old.robustness):
            try:
                robustness_of(Manifest.model_validate(benchmark.manifest))
            except NoRobustness as error:
                self._told((*section.path, "robustness"), error)
        if section.raw.get("placebo_audit") is True and not (is_same and old is not None and old.placebo_audit):
            try:
                placebo_runs(Manifest.model_validate(benchmark.manifest), 1)
            except NoPlacebos as error:
                self._told((*section.path, "placebo_audit"), error)

    def _environment(self, section: Section, old: Phase | None) -> str:
        part = section.part
        if old is not None and old.device is part.device and part.environment in (None, old.environment):
            return old.environment
        try:
            return environments.choose(self._session, part.environment, Device(part.device))
        except environments.UnknownEnvironment as error:
            self._told((*section.path, "environment"), error)
            return str(part.environment)

    def _keep_what_is_fixed(self, section: Section, new: PhaseSection, old: Phase) -> None:
        values: dict[str, Any] = {name: getattr(old, name) for name in (*FIXED_BY_SUBMISSIONS, *FIXED_BY_ENTRIES)}
        values["benchmark"] = old.benchmark.digest
        changed = [name for name, value in values.items() if getattr(new, name) != value]
        fixed: tuple[str, ...] = ()
        if changed and self._is_used(old):
            fixed = FIXED_BY_SUBMISSIONS + (FIXED_BY_ENTRIES if self._has_entries(old) else ())
        for name in changed:
            if name in fixed:
                other = "rescore the phase with `lethe rescore`" if name == "metric" else "add another phase"
                self._complain(
                    (*section.path, name),
                    f"The phase has submissions, so its {name} stays {values[name]}.",
                    f"Put that back, or {other}.",
                )

    def _keep_the_final(self, section: Section, new: PhaseSection, old: Phase) -> None:
        """A phase stays a final or none, on the same benchmarks; what a final takes is fixed once it has started."""
        final = None if old.final_part is None else old.final_part.final
        if new.is_sealed_final != (final is not None):
            problem = "Whether teams upload to a phase or select into it stays as it is."
            self._complain((*section.path, "entered_by"), problem, "Put that back, or add another phase.")
            return
        if final is None:
            return
        if new.further_benchmarks != [part.benchmark.digest for part in self._parts(old)[1:]]:
            problem = "A final keeps its benchmarks."
            self._complain((*section.path, "further_benchmarks"), problem, "Put them back, or add another final.")
        for name in ("selects", "draws_from"):
            if final.started_at is not None and getattr(new, name) != getattr(final, name):
                problem = f"The final has started, so its {name} stays {getattr(final, name)}."
                self._complain((*section.path, name), problem, "Put that back.")

    def _draws_from(self, section: Section) -> None:
        """A final draws from phases of the file that take uploads."""
        parts = [one.part for one in self._reading.phases if one.part is not None]
        uploads = {part.slug for part in parts if not part.is_sealed_final}
        for slug in (section.part.draws_from or ()) if section.part is not None else ():
            if slug not in uploads:
                problem = f"No phase `{slug}` of the file takes uploads, so nothing can be drawn from it."
                self._complain((*section.path, "draws_from"), problem, "Name another phase.")

    def _further(self, section: Section, old: Phase | None) -> list[str]:
        """Find the further benchmarks of a final; those that it has already keep their digests."""
        known = [] if old is None else [part.benchmark for part in self._parts(old)[1:]]
        found: list[BenchmarkRow] = []
        for wanted in section.part.further_benchmarks if section.part is not None else ():
            same = [one for one in known if wanted in (one.name, one.digest)]
            try:
                found.append(same[0] if same else find_benchmark(self._session, wanted))
            except BenchmarkNotPublished as error:
                self._told((*section.path, "further_benchmarks"), error)
        for benchmark in found:
            self._fit(section, benchmark, None)
        digests = [one.digest for one in found]
        if len(set(digests)) < len(digests):
            problem = "Two of the further benchmarks are the same."
            self._complain((*section.path, "further_benchmarks"), problem, "Name each of them once.")
        return digests

    def _parts(self, head: Phase) -> list[Phase]:
        return parts_of(head, self._phases)

    def _is_used(self, head: Phase) -> bool:
        return is_used(self._session, self._parts(head))

    def _has_entries(self, *phases: Phase) -> bool:
        ids: list[UUID] = [phase.id for phase in phases]
        entry = exists().where(Submission.phase_id.in_(ids), Submission.reference == Reference.NONE)
        return bool(ids and self._session.scalar(select(entry)))

    def _told(self, path: tuple[str | int, ...], error: BadInput) -> None:
        problem, _, remedy = error.message.partition(". ")
        self._complain(path, f"{problem}.", remedy or "Choose another one.")

    def _complain(self, path: tuple[str | int, ...], problem: str, remedy: str) -> None:
        self._reading.complain(path, problem, remedy)


def _hidden(part: PhaseSection) -> bool:
    return part.kind is not PhaseKind.CHECK if part.data_hidden is None else part.data_hidden
