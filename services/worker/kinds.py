"""The kinds of submissions, and how each runs. Nothing else in the worker tells a module from a notebook.

Everything that a run says passes through `_redacted`, which knows whether the phase hides its data.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import SystemRandom
from typing import ClassVar, Protocol

from services.core.bundle.manifest import PLACEBO_RUNS
from services.core.models import Evaluation, SubmissionKind
from services.core.references.planning import beside
from services.core.submission.notebook import notebook_timeout_s
from services.worker.failures import RunFailed, SandboxText, told, words
from services.worker.notebooks import Mode, NotebookLimits, disk_needed, run_notebook
from services.worker.sandbox.base import LOG_TAIL_BYTES
from services.worker.seeds import derive_seeds
from services.worker.station import SeedResult, Station, Traces
from services.worker.supervisor import RunLimits, Seed, run_seeds

__all__ = ["Kind", "Module", "Notebook", "kind_of"]


class Kind(Protocol):
    """A way to run a submission."""

    # Whether one run makes all models. If so, a new attempt discards the measurements of an earlier one, and a failed
    # attempt is described too, because its output shows how far it came.
    whole: ClassVar[bool]

    @property
    def data_hidden(self) -> bool:
        """Tell whether the output of a run could leak hidden data."""
        ...

    def disk_bytes(self, station: Station) -> int:
        """Return how many bytes of disk a run must reserve; 0 if it needs no more than every run does."""
        ...

    def run(self, station: Station, traces: Traces) -> Generator[SeedResult, None, None]:
        """Run the submission in the station's slot; yield each model's reading. Raises RunFailed and Stopped."""
        ...

    def provenance(self, station: Station) -> dict[str, str]:
        """Describe where and how the submission ran."""
        ...


@dataclass(frozen=True, slots=True)
class Module:
    """A Python module or archive whose `unlearning` is called once for each seed."""

    whole: ClassVar[bool] = False
    limits: RunLimits
    seeds: Sequence[Seed]

    @property
    def data_hidden(self) -> bool:
        """Tell whether the phase hides its data."""
        return self.limits.data_hidden

    def disk_bytes(self, station: Station) -> int:
        """Reserve no disk: a checkpoint is deleted as soon as it is measured."""
        return 0

    def run(self, station: Station, traces: Traces) -> Generator[SeedResult, None, None]:
        """Run the module once for each seed; yield each model's reading."""
        with _redacted(traces, data_hidden=self.data_hidden):
            yield from run_seeds(station, self.limits, self.seeds, traces)

    def provenance(self, station: Station) -> dict[str, str]:
        """Describe the sandbox."""
        return station.provenance()

    def share(self, part: int, parts: int) -> "Module":
        """Deal the seeds out to `parts` modules in turn; return the one with index `part`."""
        return replace(self, seeds=self.seeds[part::parts])


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook of 2023, which makes all models in one run."""

    whole: ClassVar[bool] = True
    limits: NotebookLimits
    cache: Path  # keeps benchmarks in the layout that notebooks read

    @property
    def data_hidden(self) -> bool:
        """Tell whether the run sees hidden data, which rehearsals and dry runs do not."""
        return self.limits.data_hidden

    def disk_bytes(self, station: Station) -> int:
        """Return how many bytes all checkpoints and their archive may take."""
        return disk_needed(station, self.limits)

    def run(self, station: Station, traces: Traces) -> Generator[SeedResult, None, None]:
        """Run the notebook once, then yield the readings of its checkpoints."""
        with _redacted(traces, data_hidden=self.data_hidden):
            yield from run_notebook(station, self.limits, self.cache, traces)

    def provenance(self, station: Station) -> dict[str, str]:
        """Describe the sandbox, and name the device that the notebook used as CUDA, and the kind of a trial."""
        described = {"independence": "not enforced", "cuda": self.limits.cuda_in(station.slot)}
        return station.provenance() | described | self.limits.mode.described


def kind_of(
    evaluation: Evaluation,
    kind: SubmissionKind,
    seeds: Sequence[int],
    cache: Path,
    *,
    patience: float = 1.0,
    trainer: str = "",
) -> Kind:
    """Choose how an evaluation runs, under the limits of its phase; `seeds` are the indexes not yet measured.

    A run of a module may take `patience` times as long as the phase says. `trainer` is the source of the trainer that
    some runs of a module are timed beside; empty for none.
    """
    phase = evaluation.phase
    robustness = phase.robustness and not evaluation.dry_run
    if kind is SubmissionKind.NOTEBOOK:
        mode = _mode(evaluation)
        limits = NotebookLimits(
            seeds=evaluation.seeds,
            timeout_s=notebook_timeout_s(phase.notebook_timeout_s, rehearsed=mode is Mode.REHEARSAL),
            memory_bytes=phase.memory_bytes,
            data_hidden=phase.data_hidden and not evaluation.dry_run,
            mode=mode,
            cuda_stand_in=phase.cuda_stand_in,
            take_first=phase.take_first,
            robustness=robustness,
        )
        return Notebook(limits, cache)
    timeout_s = phase.seed_timeout_s * patience
    trainer = "" if evaluation.dry_run else trainer
    allowed = RunLimits(evaluation.seeds, timeout_s, phase.memory_bytes, phase.data_hidden, robustness, trainer)
    in_any_order = SystemRandom().sample(seeds, len(seeds))  # a run that knows its place in time knows no index
    placebos = PLACEBO_RUNS if phase.placebo_audit and not evaluation.dry_run else 0
    trained = beside(evaluation.seeds) if trainer else ()
    return Module(allowed, derive_seeds(evaluation.seed_key, in_any_order, placebos=placebos, trained=trained))


def _mode(evaluation: Evaluation) -> Mode:
    if not evaluation.dry_run:
        return Mode.FULL
    return Mode.REHEARSAL if evaluation.phase.rehearse else Mode.DRY


@contextmanager
def _redacted(traces: Traces, *, data_hidden: bool) -> Iterator[None]:
    """Let out only what a person may read: of a failure, of printed output, of an executed notebook."""
    try:
        yield
    except RunFailed as failure:
        raise told(failure, data_hidden=data_hidden) from None
    finally:
        traces.printed = words(SandboxText(traces.printed), data_hidden=data_hidden, limit=LOG_TAIL_BYTES)
        if data_hidden:
            traces.executed = None
