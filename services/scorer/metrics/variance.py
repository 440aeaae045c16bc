"""Where the noise of a score comes from: other runs, other original models, other subjects.

*Runs*: the standard error over fresh unlearning runs and fresh oracle models, from halves of the models
(`uncertainty.py`).

*Originals*: the additional error over other originals. The jackknife that leaves out one original with its runs
(Efron and Stein, 1981) estimates the variance of redrawing originals *and* runs. The same jackknife over groups of runs
drawn at random estimates the part of the runs; the difference is the part of the originals. Both share the small bias
that a jackknife has for a mean of maxima. If all runs of one original are equal, random groups differ little, and
nearly everything is the originals'.

*Subjects*: the additional error over other subjects of the forget set.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics.card import Variance
from services.scorer.metrics.evidence import Labels
from services.scorer.metrics.uncertainty import SPLITS

__all__ = ["Again", "VarianceParts", "between_originals", "freedom_of"]

SHUFFLES = 4  # sets of random groups
SHUFFLE_SEED = 2025  # public and fixed, so that a score can be recomputed

Again = Callable[[NDArray[np.int64], int | None], float]  # some runs, the original left out -> the value


@dataclass(frozen=True, slots=True)
class VarianceParts:
    """Standard errors of a score that add as squares; None if it is unknown or there is none."""

    runs: float
    originals: float | None = None
    subjects: float | None = None

    @property
    def total(self) -> float:
        """The standard error over everything that is known."""
        return float(np.sqrt(sum(part**2 for part in (self.runs, self.originals, self.subjects) if part)))

    def scaled(self, factor: float, *, starts: int | None) -> Variance:
        """Multiply, and say of how many originals."""
        return Variance(
            runs=self.runs * factor,
            originals=None if self.originals is None else self.originals * factor,
            subjects=None if self.subjects is None else self.subjects * factor,
            starts=starts,
        )


def between_originals(starts: Labels, again: Again) -> float:
    """Estimate the standard error due only to the draw of the originals that runs [N] started from."""
    numbers = np.unique(starts)
    both = _jackknife(again(np.flatnonzero(starts != one), int(one)) for one in numbers)
    rng = np.random.default_rng([SHUFFLE_SEED, len(starts)])
    shuffled = [rng.permutation(starts) for _ in range(SHUFFLES)]
    runs = [_jackknife(again(np.flatnonzero(groups != one), None) for one in numbers) for groups in shuffled]
    return float(np.sqrt(max(both - float(np.mean(runs)), 0.0)))


def freedom_of(parts: VarianceParts, *, originals: int, most: int = SPLITS - 1) -> float:
    """Return the degrees of freedom of the whole error (Welch and Satterthwaite), at most so many."""
    known = ((parts.runs, SPLITS - 1), (parts.originals, originals - 1), (parts.subjects, most))
    largest = max(part or 0.0 for part, _ in known)
    if largest == 0:
        return most
    shares = [((part / largest) ** 2, freedom) for part, freedom in known if part]
    return float(min(sum(part for part, _ in shares) ** 2 / sum(part**2 / own for part, own in shares), most))


def _jackknife(values: Iterable[float]) -> float:
    left = np.array(list(values))
    return float((len(left) - 1) * np.var(left))
