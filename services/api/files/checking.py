"""What a file may not say although its form is right: what benchmarks, submissions and roles do not allow."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from services.api.competitions.service import BenchmarkNotPublished, find_benchmark
from services.api.files.form import CompetitionFile, PhaseSection
from services.api.files.reading import Reading, Section
from services.api.files.text import MAX_BYTES
from services.api.files.writing import write_file
from services.api.kit.auth import Principal
from services.core import environments
from services.core.bundle.manifest import Manifest, TooManyModels, require_oracle
from services.core.device import Device
from services.core.errors import BadInput
from services.core.models import (
    BenchmarkRow,
    Campaign,
    Competition,
    Phase,
    PhaseKind,
    Reference,
    Submission,
    Visibility,
)
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
    checker = _Checker(session, reading, {phase.slug: phase for phase in phases}, now)
    for section in reading.phases:
        checker.phase(section)
    checker.missing_phases()
    checker.competition(who, competition)
    file = reading.whole()
    weight = file.weight or (competition.weight if competition else 1)
    decided = file.model_copy(update={"weight": weight, "phases": [checker.decided[one.slug] for one in file.phases]})
    if len(write_file(decided).encode()) > MAX_BYTES:
        reading.complain((), f"Written out, the file is larger than {MAX_BYTES // 1024} KiB.", "Shorten its texts.")
        reading.whole()
    return Checked(decided, checker.benchmarks)


def is_used(session: ReadSession, phase: Phase) -> bool:
    """Tell whether anything was submitted to a phase or computed in it."""
    used = (exists().where(table.phase_id == phase.id) for table in (Submission, Campaign))
    return any(session.scalar(select(one)) for one in used)


class _Checker:
    def __init__(self, session: ReadSession, reading: Reading, stored: dict[str, Phase], now: datetime) -> None:
        self._session = session
        self._reading = reading
        self._stored = stored
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
            if is_used(self._session, self._stored[slug]):
                problem = f"Phase `{slug}` is missing, but it has submissions or rescorings."
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
            }
        )
        self.decided[section.part.slug] = decided
        if benchmark is not None:
            self.benchmarks[section.part.slug] = benchmark
        if old is not None:
            self._keep_what_is_fixed(section, decided, old)

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
        if changed and is_used(self._session, old):
            fixed = FIXED_BY_SUBMISSIONS + (FIXED_BY_ENTRIES if self._has_entries(old) else ())
        for name in changed:
            if name in fixed:
                other = "rescore the phase with `lethe rescore`" if name == "metric" else "add another phase"
                self._complain(
                    (*section.path, name),
                    f"The phase has submissions, so its {name} stays {values[name]}.",
                    f"Put that back, or {other}.",
                )

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
