"""What an entry does to weights: how it moves each original on the mean of its runs, by the sketches of weights.

Two runs of the same method differ by their seeds; the mean over runs that start from one original does not. The sketch
is linear, so the mean of sketches is the sketch of the mean, and the same movement has the same sketch. Compared are
movements, not weights: honest entries that hardly move all lie near the same originals, but go their own ways.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics.evidence import Evidence

__all__ = ["Movement", "difference"]

CLEAR = 3.0  # a mean movement is told from the noise of its runs if it is so many times longer
ROUNDING = 1e-5  # of the originals' length: what is shorter may be the rounding of 32-bit floats
SPARE_RUNS = 8  # more than originals, so that the noise is known

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """The mean movement from each original, [K, 16], and the squared length that the noise of the runs adds to it."""

    mean: Array
    noise: float

    @classmethod
    def of(cls, evidence: Evidence) -> Self | None:
        """Measure it; None if it is unknown, lost in noise or none at all, or if every run has an original of its own.

        Runs of a notebook all start from the first original.
        """
        models, originals = evidence.unlearned.weight_sketch, evidence.originals
        if models is None or originals is None or originals.weight_sketch is None:
            return None
        origins = originals.weight_sketch.astype(np.float64)
        starts = np.zeros(len(models), np.int64) if evidence.starts is None else evidence.starts
        if evidence.starts is None and evidence.independent and len(origins) > 1:
            return None  # as in certified benchmarks
        found = cls._between(models.astype(np.float64), origins[: int(starts.max()) + 1], starts)
        return found if found is not None and found._is_clear(origins) else None

    @classmethod
    def _between(cls, models: Array, origins: Array, starts: NDArray[np.integer[Any]]) -> Self | None:
        runs = np.bincount(starts, minlength=len(origins))
        if len(models) - len(origins) < SPARE_RUNS or runs.min() == 0:
            return None
        moved = models - origins[starts]
        mean = np.zeros_like(origins)
        np.add.at(mean, starts, moved)
        mean /= runs[:, None]
        scatter = ((moved - mean[starts]) ** 2).sum() / (len(models) - len(origins))
        return cls(mean, float(scatter * (1 / runs).sum()))

    @property
    def squared(self) -> float:
        """The squared length, without what noise adds."""
        return float((self.mean**2).sum()) - self.noise

    def _is_clear(self, origins: Array) -> bool:
        return self.squared > max(CLEAR**2 * self.noise, ROUNDING**2 * float((origins**2).sum()))


def difference(one: Movement, other: Movement) -> float:
    """Return how far two movements lie apart, in units of their length, without what noise adds.

    About 0 for the same method under other seeds, 1.41 for movements that have nothing in common. Infinite if they
    start from different numbers of originals.
    """
    if one.mean.shape != other.mean.shape:
        return float("inf")
    apart = float(((one.mean - other.mean) ** 2).sum()) - one.noise - other.noise
    return float(np.sqrt(max(apart, 0.0) / ((one.squared + other.squared) / 2)))
