"""What an entry costs beside the platform's trainer, from the times of its runs. Pure.

Only runs in one sandbox are compared: the trainer ran there between them, on the same processor and under the same
load. So an evaluation may be spread over unlike workers. Processor time counts where the kernel counted it for every
run, otherwise the clock. What a run takes that does nothing, such as the start of a process, counts for neither side.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.core.models.costs import CostForm, CostKind

__all__ = ["RunTime", "cost_of"]

Z = 1.96  # of a 95% interval
OF_MEDIAN = 1.2533  # standard error of a median of Gaussian values, in units of that of their mean
OF_MAD = 1.4826  # standard deviation of Gaussian values, in units of their median absolute deviation


class RunTime(NamedTuple):
    """The times of one run in seconds; of the trainer's run and the empty run beside it, if there are any."""

    sandbox: str | None
    run_s: float
    cpu_s: float | None
    trainer_s: float | None
    trainer_cpu_s: float | None
    empty_s: float | None = None
    empty_cpu_s: float | None = None


@dataclass(slots=True)
class _Sandbox:
    """The seconds of the runs of one sandbox."""

    own: list[float] = field(default_factory=list)
    trainer: list[float] = field(default_factory=list)
    empty: list[float] = field(default_factory=list)  # as many as of the trainer

    @property
    def idle_s(self) -> float:
        """The time of a run that does nothing; 0 if none was timed."""
        return float(np.median(self.empty))

    @property
    def typical_s(self) -> float:
        """The time of a run of the entry: the median, or the mean where that is larger.

        A median alone would hide an entry that retrains in 49% of its runs.
        """
        return max(float(np.median(self.own)), float(np.mean(self.own)))

    def work_s(self, trainer_s: float) -> float:
        """The time of a run of the trainer beyond one that does nothing; at least a hundredth of it."""
        return max(trainer_s - self.idle_s, 0.01 * trainer_s)

    def ratios(self) -> list[float]:
        """Compare the work of a typical run of the entry with that of each of the trainer's."""
        return [max(0.0, self.typical_s - self.idle_s) / self.work_s(one) for one in self.trainer]

    def in_work(self) -> list[float]:
        """The times of the entry's run, the trainer's, and one that does nothing, in units of the trainer's work."""
        trainer_s = float(np.median(self.trainer))
        return [each / self.work_s(trainer_s) for each in (self.typical_s, trainer_s, self.idle_s)]


def cost_of(times: Iterable[RunTime]) -> CostForm | None:
    """Return how much work one run takes of the trainer's; None if no trainer's run was timed.

    Each of the trainer's runs gives one ratio, with the entry's runs in the same sandbox; the cost is their median. The
    interval is approximate: it supposes that a run of the trainer, and an empty one, varies as much as the entry's, or
    that costs vary as the ratios do, whichever is more.
    """
    there = list(times)
    counted = all(one.cpu_s is not None and (one.trainer_s is None or one.trainer_cpu_s is not None) for one in there)
    found = defaultdict[str | None, _Sandbox](_Sandbox)
    for one in there:
        of = found[one.sandbox]
        of.own.append((one.cpu_s if counted else one.run_s) or 0.0)
        trainer_s, empty_s = (one.trainer_cpu_s, one.empty_cpu_s) if counted else (one.trainer_s, one.empty_s)
        if trainer_s:
            of.trainer.append(trainer_s)
            of.empty.append(empty_s or 0.0)
    compared = [of for of in found.values() if of.trainer]
    if not compared:
        return None
    ratios = np.array([ratio for of in compared for ratio in of.ratios()])
    ratio, half = float(np.median(ratios)), Z * OF_MEDIAN * _error(compared, ratios)
    return CostForm(
        ratio=ratio,
        low=max(0.0, ratio - half),
        high=ratio + half,
        of=CostKind.PROCESSOR if counted else CostKind.CLOCK,
        run_s=float(np.median([of.typical_s for of in compared])),
        trainer_s=float(np.median(np.concatenate([of.trainer for of in compared]))),
        empty_s=float(np.median([of.idle_s for of in compared])),
        runs=sum(len(of.own) for of in compared),
        trainer_runs=len(ratios),
    )


def _error(compared: Sequence[_Sandbox], ratios: NDArray[np.float64]) -> float:
    """Estimate the standard error that the mean of the ratios would have."""
    spread, runs, trainers = _spread(compared), sum(len(of.own) for of in compared), len(ratios)
    own, trainer, empty = np.median([of.in_work() for of in compared], axis=0)
    ratio = np.median(ratios)
    squares = own**2 / runs + (ratio * trainer) ** 2 / trainers + ((1 - ratio) * empty) ** 2 / trainers
    among = ratios.std(ddof=1) if trainers > 1 else 0.0
    return float(max(spread * np.sqrt(squares), among / np.sqrt(trainers)))


def _spread(compared: Sequence[_Sandbox]) -> float:
    """Estimate the relative standard deviation of the time of a run of the entry, within sandboxes."""
    within = [np.abs(np.array(of.own) / np.median(of.own) - 1) for of in compared if np.median(of.own) > 0]
    return OF_MAD * float(np.median(np.concatenate(within))) if within else 0.0
