"""Balance: do forget examples look more retrained than controls, as they do if an entry pins their outputs?

Honest unlearning changes a model, so it leaves forget examples at least as far from retrained models as controls, and
lets them vary as much. Three figures of each example are compared: its squared shift, the gap between Gaussians, and
the spread of its margins. The *ratio* of a figure is what is typical of forget examples over what is typical of
controls, in medians. Its *limit* is the largest ratio that a rank test still accepts (Mann and Whitney, one-sided, at
`LEVEL`; Hodges and Lehmann 1963 turn the test into limits). The smallest limit of the three counts. Only if it lies
below `BALANCED` is balance below 1: an imbalance is a claim, so chance alone hardly ever makes it, and a score that
ranks owes nothing to it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from services.scorer.metrics.shifts import Shifts

__all__ = ["BALANCED", "LEVEL", "Balance", "balance_of", "upper_limit"]

BALANCED = 0.75  # ratio below which an entry pins: honest entries had 0.78 and more
STEEPNESS = 6
MAY_SPREAD = 1.5  # times the ratio the other way: a set that is half forgotten may vary more than controls
LEVEL = 0.005  # probability, for each figure, that the limit of an honest entry lies below its true ratio
BLUR = 0.05  # squared standard deviations: far below it, gaps of forget and control examples count as equal
SAMPLING_BLUR = 4.0  # over the number of models: what sampling adds to it
STEPS = 40  # halvings in the search for a limit

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Balance:
    """Forget examples over controls: the smallest of three ratios, and the smallest of their limits."""

    ratio: float
    limit: float

    @property
    def pinned(self) -> bool:
        """Whether forget examples certainly look more retrained than controls."""
        return self.limit < BALANCED

    @property
    def value(self) -> float:
        """1 unless the forget set is pinned; then the sixth power of the limit over `BALANCED`."""
        return float((self.limit / BALANCED) ** STEEPNESS) if self.pinned else 1.0


def balance_of(entry: Shifts) -> Balance:
    """Compare forget examples with controls. An entry of one model has no spread, so nothing is claimed of it."""
    if entry.models < 2:
        return Balance(1.0, np.inf)
    blur = BLUR + SAMPLING_BLUR / entry.models
    figures = [[np.log(np.maximum(part, 0.0) + blur) for part in parts] for parts in (entry.gaps, entry.squares)]
    ratios, limits = [_spread_ratio(*entry.spreads[:2])], [_spread_limit(*entry.spreads[:2])]
    for forget, *controls in figures:
        known = [control for control in controls if control.size]
        ratios.append(float(np.exp(np.median(forget) - min(np.median(control) for control in known))))
        limits.append(float(np.exp(max(upper_limit(forget, control) for control in known))))
    return Balance(min(ratios), min(limits))


def upper_limit(forget: Array, controls: Array, level: float = LEVEL) -> float:
    """Return the largest shift of forget values [S] against controls [T] that a rank test accepts, one-sided.

    It is infinite if there are too few examples to refuse any shift. Without ties, the true shift lies above it with
    probability `level`, by the normal approximation of the rank sum.
    """
    pairs = len(forget) * len(controls)
    deviation = np.sqrt(pairs * (len(forget) + len(controls) + 1) / 12)
    refused = np.floor(pairs / 2 + ndtri(level) * deviation)  # so few differences above a shift refuse it
    if refused < 0:
        return float(np.inf)
    ordered = np.sort(controls)
    low, high = float(forget.min() - ordered[-1]) - 1.0, float(forget.max() - ordered[0]) + 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        accepted = np.searchsorted(ordered, forget - middle, side="left").sum() > refused
        low, high = (middle, high) if accepted else (low, middle)
    return high


def _spread_ratio(forget: Array, controls: Array) -> float:
    return _spread_of(float(np.median(forget) - np.median(controls)), float(np.median(controls) - np.median(forget)))


def _spread_limit(forget: Array, controls: Array) -> float:
    return _spread_of(upper_limit(forget, controls), upper_limit(-forget, -controls))


def _spread_of(less: float, more: float) -> float:
    """Return the smaller of two ratios: of the spread of forget examples over that of controls, and the other way."""
    return float(np.exp(min(less, more + np.log(MAY_SPREAD))))
