"""Histograms of a score, which a page draws: counts in bins, made once, so that showing them needs no arrays.

The confidences of both sides share their bins, from the 1% to the 99% quantile of all values, with a margin. The
outermost bins also count the values beyond.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics import ScoreCard, Sides
from services.scorer.metrics.quality import BUCKET

__all__ = ["CONFIDENCE_BINS", "Buckets", "Chosen", "Histograms", "Shared", "choose"]

CONFIDENCE_BINS = 24

Vector = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Buckets:
    """How many examples lie in each bucket of epsilon, for the smaller number of models a side."""

    count: int  # buckets that earn points

    @classmethod
    def of(cls, models: int) -> "Buckets":
        return cls(int(np.ceil(np.log(models - 1)) / BUCKET) if models > 2 else 0)

    @property
    def end(self) -> float:
        return self.count * BUCKET

    @property
    def middles(self) -> Vector:
        """Return the place of each bucket on the axis; the last bucket earns no points: [count + 1]."""
        return np.append((np.arange(self.count) + 0.5) * BUCKET, self.end + 1.3 * BUCKET)

    def fill(self, epsilons: Vector) -> Counts:
        """Count the examples of each bucket, and at the end the examples beyond all buckets: [count + 1]."""
        bucket = np.floor(epsilons.astype(np.float32) / np.float32(BUCKET)).astype(np.int64)
        return np.bincount(np.minimum(bucket, self.count), minlength=self.count + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """Confidences of both sides, in nats, counted in bins of equal width from `low` to `high`."""

    low: float
    high: float
    unlearned: Counts  # [CONFIDENCE_BINS]
    oracle: Counts  # [CONFIDENCE_BINS]

    @classmethod
    def of(cls, unlearned: Vector, oracle: Vector) -> "Shared":
        edges = _shared_edges(np.concatenate([unlearned, oracle]))
        mine, theirs = (
            np.histogram(np.clip(side, edges[0], edges[-1]), edges)[0].astype(np.int64) for side in (unlearned, oracle)
        )
        return cls(float(edges[0]), float(edges[-1]), mine, theirs)


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """One forget example, and why it is shown: it is among the best, the median or the worst, or all are shown."""

    place: str
    example: int
    epsilon: float
    confidences: Shared


@dataclass(frozen=True, slots=True, eq=False)
class Histograms:
    """The histograms of one score."""

    epsilons: Counts  # [buckets + 1], the last of them examples that earn no points
    confidences: Shared  # over all models and all forget examples
    examples: tuple[Chosen, ...]

    @classmethod
    def of(cls, card: ScoreCard, sides: Sides) -> "Histograms":
        """Count a card's epsilons, and the confidences [N, S] and [M, S] that it was made from."""
        epsilons = card.epsilons.astype(np.float64)
        unlearned, oracle = sides.unlearned, sides.oracle
        return cls(
            epsilons=Buckets.of(min(len(unlearned), len(oracle))).fill(epsilons),
            confidences=Shared.of(unlearned.ravel(), oracle.ravel()),
            examples=tuple(
                Chosen(place, one, float(epsilons[one]), Shared.of(unlearned[:, one], oracle[:, one]))
                for place, one in choose(epsilons)
            ),
        )


def choose(epsilons: Vector) -> list[tuple[str, int]]:
    """Pick the two best, the two in the middle and the two worst; all if there are fewer than six examples."""
    order = np.argsort(epsilons, kind="stable").tolist()
    size = len(order)
    middle = (size - 2) // 2
    places = {0: "best", 1: "best", middle: "median", middle + 1: "median", size - 2: "worst", size - 1: "worst"}
    if size < 6:
        return [("all", example) for example in order]
    return [(place, order[rank]) for rank, place in places.items()]


def _shared_edges(values: Vector) -> Vector:
    """Cut the range of most values into equal bins, with a margin: [CONFIDENCE_BINS + 1]."""
    low, high = np.quantile(values, [0.01, 0.99])
    margin = max(0.15 * (high - low), 1e-3 * (1.0 + abs(low)))
    return np.linspace(low - margin, high + margin, CONFIDENCE_BINS + 1)
