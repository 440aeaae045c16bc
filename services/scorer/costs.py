"""What an entry costs beside the platform's trainer, from the times of its runs. Pure.

Only runs in one sandbox are compared: the trainer ran there between them, on the same processor and under the same
load. So an evaluation may be spread over unlike workers. Processor time counts where the kernel counted it for every
run, otherwise the clock.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.core.models.costs import CostForm, CostKind

__all__ = ["RunTime", "cost_of"]

Z = 1.96  # of a 95% interval
OF_MEDIAN = 1.2533  # standard error of a median of Gaussian values, in units of that of their mean
OF_MAD = 1.4826  # standard deviation of Gaussian values, in units of their median absolute deviation


class RunTime(NamedTuple):
    """The times of one run in seconds, and of the trainer's run beside it, if there is one."""

    sandbox: str | None
    run_s: float
    cpu_s: float | None
    trainer_s: float | None
    trainer_cpu_s: float | None


def cost_of(times: Iterable[RunTime]) -> CostForm | None:
    """Return how much one run takes of the trainer's time; None if no trainer's run was timed.

    In each sandbox the runs have one time: their median, or their mean where that is larger, because a median alone
    would hide an entry that retrains in 49% of its runs. Each of the trainer's runs there gives one ratio; the cost is
    their median. The interval is approximate: it supposes that a trainer's run varies as much as the runs beside it,
    or as the ratios, whichever is more.
    """
    there = list(times)
    counted = all(one.cpu_s is not None and (one.trainer_s is None or one.trainer_cpu_s is not None) for one in there)
    runs, trained = defaultdict[str | None, list[float]](list), defaultdict[str | None, list[float]](list)
    for one in there:
        run_s, trainer_s = (one.cpu_s, one.trainer_cpu_s) if counted else (one.run_s, one.trainer_s)
        runs[one.sandbox].append(run_s or 0.0)
        if trainer_s:
            trained[one.sandbox].append(trainer_s)
    if not trained:
        return None
    typical = {sandbox: _typical(runs[sandbox]) for sandbox in trained}
    ratios = np.array([typical[sandbox] / one for sandbox, found in trained.items() for one in found])
    ratio = float(np.median(ratios))
    compared = [np.array(runs[sandbox]) for sandbox in trained]
    half = Z * OF_MEDIAN * _spread(compared, ratios) * (1 / len(ratios) + 1 / sum(map(len, compared))) ** 0.5
    return CostForm(
        ratio=ratio,
        low=ratio * float(np.exp(-half)),
        high=ratio * float(np.exp(half)),
        of=CostKind.PROCESSOR if counted else CostKind.CLOCK,
        run_s=float(np.median(list(typical.values()))),
        trainer_s=float(np.median(np.concatenate([np.array(found) for found in trained.values()]))),
        runs=sum(map(len, compared)),
        trainer_runs=len(ratios),
    )


def _typical(seconds: Sequence[float]) -> float:
    return max(float(np.median(seconds)), float(np.mean(seconds)))


def _spread(compared: Sequence[NDArray[np.float64]], ratios: NDArray[np.float64]) -> float:
    """Estimate the relative standard deviation of one run's time: within sandboxes, or of the ratios if larger."""
    within = [np.abs(found / np.median(found) - 1) for found in compared if np.median(found) > 0]
    of_runs = OF_MAD * float(np.median(np.concatenate(within))) if within else 0.0
    positive = ratios[ratios > 0]
    return max(of_runs, float(np.log(positive).std(ddof=1)) if len(positive) > 1 else 0.0)
