"""Which neighbours on a board are separated, from their intervals. A later metric replaces this by a paired test."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

__all__ = ["Estimate", "are_separated", "tie_groups"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A final score and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def margin(self) -> float:
        """Half the interval: 1.96 standard errors."""
        return (self.high - self.low) / 2


def are_separated(one: Estimate, other: Estimate) -> bool:
    """Whether two independent estimates differ at the 5 % level: |difference| > 1.96 sqrt(se1^2 + se2^2)."""
    return abs(one.value - other.value) > hypot(one.margin, other.margin)


def tie_groups(estimates: Sequence[Estimate]) -> list[int]:
    """Number the tie groups of estimates sorted from best to worst, from 1.

    Each joins the group of the highest one that it is not separated from, else it opens the next group.
    """
    groups: list[int] = []
    falling = [-estimate.value for estimate in estimates]
    widest = 0.0
    for position, estimate in enumerate(estimates):
        # Whoever lies further above than the widest margin allows is separated for certain.
        reach = hypot(widest, estimate.margin)
        first = bisect_left(falling, -(estimate.value + reach) - 1e-12, hi=position)
        tied = next((i for i in range(first, position) if not are_separated(estimates[i], estimate)), None)
        groups.append(max(groups, default=0) + 1 if tied is None else groups[tied])
        widest = max(widest, estimate.margin)
    return groups
