"""The runs of a shard: each seed has its own, some also a placebo run, some a run of the
platform's trainer and an empty one beside it.

The runs of one seed follow each other in an order that nobody can foresee, and their results are stored together, so
an attempt that is repeated keeps all of a seed or nothing.
"""

import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from services.core.bundle.directory import Bundle
from services.worker.station import BesideTime, SeedResult

__all__ = ["Aim", "Run", "RunLimits", "Seed", "SeedParts", "runs_of"]


@dataclass(frozen=True, slots=True)
class Seed:
    index: int
    value: int  # secret; the sandbox learns no index
    placebo: int | None = None  # the value of its placebo run, secret too; None if it has none
    trainer: int | None = None  # the value of the trainer's run and the empty run beside it, likewise


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The limits of a phase for one unlearning run."""

    seeds: int  # N of the evaluation, for messages
    seed_timeout_s: float
    memory_bytes: int
    data_hidden: bool
    robustness: bool = False  # put every model under stress
    trainer: str = ""  # source of the platform's trainer; empty: no run is timed beside it


class Aim(Enum):
    """What a run is for."""

    OWN = auto()  # a model of the entry
    PLACEBO = auto()  # a model of the entry, from a placebo
    TRAINER = auto()  # the time of the platform's trainer; its model is thrown away
    EMPTY = auto()  # the time of a run that does nothing, likewise


@dataclass(frozen=True, slots=True)
class Run:
    """One call of a submission, or of the platform's own code."""

    index: int
    value: int
    aim: Aim = Aim.OWN
    parts: int = 1  # how many runs its seed has

    @property
    def is_ours(self) -> bool:
        """Whether the platform's own code runs, to be timed."""
        return self.aim in (Aim.TRAINER, Aim.EMPTY)


def runs_of(seeds: Sequence[Seed], bundle: Bundle, *, trains: bool) -> deque[Run]:
    """List the runs of all seeds, in the order in which they are to run."""
    runs: deque[Run] = deque()
    for seed in seeds:
        of_seed = [Run(seed.index, seed.value)]
        if seed.placebo is not None and bundle.has_placebos:
            of_seed.append(Run(seed.index, seed.placebo, Aim.PLACEBO))
        if seed.trainer is not None and trains:
            of_seed += [Run(seed.index, seed.trainer, aim) for aim in (Aim.TRAINER, Aim.EMPTY)]
        secrets.SystemRandom().shuffle(of_seed)
        runs.extend(replace(run, parts=len(of_seed)) for run in of_seed)
    return runs


@dataclass(slots=True)
class SeedParts:
    """The results of seeds of which not all runs are done."""

    _of: dict[int, dict[Aim, SeedResult | BesideTime | None]] = field(default_factory=dict)

    def add(self, run: Run, part: SeedResult | BesideTime | None) -> SeedResult | None:
        """Add the result of one run; return that of its seed once all are there. A run of ours may have none."""
        found = self._of.setdefault(run.index, {})
        found[run.aim] = part
        if len(found) < run.parts:
            return None
        del self._of[run.index]
        own, placebo, trainer, empty = (found.get(aim) for aim in Aim)
        assert isinstance(own, SeedResult)
        if isinstance(placebo, SeedResult):
            memory = max(own.peak_memory_bytes, placebo.peak_memory_bytes)
            own = replace(own, placebo=placebo.blob, peak_memory_bytes=memory)
        if isinstance(trainer, BesideTime) and isinstance(empty, BesideTime):
            own = replace(own, trainer=trainer, empty=empty)
        return own
