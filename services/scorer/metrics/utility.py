"""Utility: the accuracy that remains after unlearning, relative to the oracle."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics.card import Estimate
from services.scorer.metrics.evidence import Evidence
from services.scorer.metrics.uncertainty import ORACLE, SPLITS, UNLEARNED, orders, quantile

__all__ = ["Utility"]

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Utility:
    """Mean accuracy on the retain set over the oracle's, times the same on the test set.

    Source: the 2023 competition's scoring code, where an entry can gain from an accuracy above the oracle's. `clipped`
    prevents this, as the competition's report promised: a ratio counts as at most 1.
    """

    unlearned: tuple[Floats, Floats]  # accuracies [N], 0 to 1, on retain and test set
    oracle: tuple[Floats, Floats]  # [M]
    clipped: bool = False

    @classmethod
    def of(cls, evidence: Evidence, *, clipped: bool = False) -> "Utility":
        mine, theirs = (
            (np.asarray(models.retain_accuracy, np.float64), np.asarray(models.test_accuracy, np.float64))
            for models in (evidence.unlearned, evidence.oracle)
        )
        return cls(mine, theirs, clipped)

    def take(self, chosen: NDArray[np.integer[Any]]) -> "Utility":
        """Keep some unlearned models."""
        retain, test = self.unlearned
        return replace(self, unlearned=(retain[chosen], test[chosen]))

    def value(self) -> float:
        """Compute utility of all models."""
        return self._product([(mine.mean(), their.mean()) for mine, their in self._pairs()])

    def halves(self) -> NDArray[np.float64]:
        """Compute utility of the halves of `half_points`, [splits, 2]."""
        if min(len(self.unlearned[0]), len(self.oracle[0])) < 2:
            return np.zeros((SPLITS, 2))
        mine, theirs = orders(len(self.unlearned[0]), UNLEARNED), orders(len(self.oracle[0]), ORACLE)
        return np.array(
            [
                [
                    self._product(
                        [(one[own[half::2]].mean(), other[their[half::2]].mean()) for one, other in self._pairs()]
                    )
                    for half in (0, 1)
                ]
                for own, their in zip(mine, theirs, strict=True)
            ]
        )

    def estimate(self) -> Estimate:
        """Compute the 95% interval of utility by the delta method on its logarithm.

        One model's influence is the sum of its accuracies over their means. With one model on a side, the interval is
        the whole range.
        """
        highest = 1.0 if self.clipped else self._product([(1.0, their.mean()) for _, their in self._pairs()])
        value = self.value()
        if value == 0.0:
            return Estimate(0.0, 0.0, 0.0)
        counts = [len(self.unlearned[0]), len(self.oracle[0])]
        if min(counts) < 2:
            return Estimate(value, 0.0, highest)
        influences = [sum(accuracy / accuracy.mean() for accuracy in side) for side in (self.unlearned, self.oracle)]
        error = float(np.sqrt(sum(np.var(influence, ddof=1) / len(influence) for influence in influences)))
        factor = float(np.exp(quantile(min(counts) - 1) * error))
        return Estimate(value, value / factor, min(value * factor, highest) if self.clipped else value * factor)

    def _pairs(self) -> list[tuple[Floats, Floats]]:
        return list(zip(self.unlearned, self.oracle, strict=True))

    def _product(self, means: list[tuple[Any, Any]]) -> float:
        ratios = [float(mine / their) if their else 1.0 for mine, their in means]
        return float(np.prod([min(ratio, 1.0) for ratio in ratios] if self.clipped else ratios))
