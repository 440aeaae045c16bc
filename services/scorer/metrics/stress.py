"""Readings of models under stress: an entry's, and those of the anchors that it is compared with.

`docs/scoring.md`, section Robustness, says how they come about.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics.shifts import FLOOR, Outputs

__all__ = ["Stressed", "StressedSides"]

LEAST_READABLE = 0.5  # share of the models that must be readable in a condition
FEWEST = 2  # models

Floats = NDArray[np.floating[Any]]
Bits = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Stressed:
    """Readings of N models in Q conditions, and of n that relearned after K numbers of steps."""

    forget_margin: Floats  # [N, Q, S], in nats
    forget_given: Bits  # [N, Q, S]
    control_margin: Floats  # [N, Q, C]
    control_given: Bits  # [N, Q, C]
    readable: Bits  # [N, Q]
    distance: Floats  # [N, 2], of the weights to the original's, and the norm of these
    poison_given: Bits  # [N, P]
    relearned_forget_margin: Floats  # [n, K, S]
    relearned_forget_given: Bits  # [n, K, S]
    relearned_control_margin: Floats  # [n, K, C]
    relearned_control_given: Bits  # [n, K, C]
    relearned_readable: Bits  # [n, K]

    def halves(self) -> "tuple[Stressed, Stressed]":
        """Divide the models in two."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        first = {name: array[: len(array) // 2] for name, array in arrays.items()}
        return Stressed(**first), Stressed(**{name: array[len(array) // 2 :] for name, array in arrays.items()})

    def outputs(self, conditions: Sequence[int], *, relearned: bool = False, fewest: int = FEWEST) -> Outputs | None:
        """Scale the margins of readable models in some conditions, side by side; None if too few are readable."""
        side = self._relearned() if relearned else self
        chosen = np.asarray(side.readable[:, list(conditions)].min(axis=1) > 0)
        if chosen.sum() < max(fewest, LEAST_READABLE * len(chosen)):
            return None
        forget, controls = [], []
        for condition in conditions:
            control = side.control_margin[chosen, condition].astype(np.float64)
            scale = np.maximum(np.median(np.abs(control), axis=1), FLOOR)[:, None]
            forget.append(side.forget_margin[chosen, condition].astype(np.float64) / scale)
            controls.append(control / scale)
        given = [side.forget_given[chosen, condition] > 0 for condition in conditions]
        none = np.empty((int(chosen.sum()), 0))
        return Outputs(np.hstack(forget), np.hstack(controls), none, np.hstack(given))

    def _relearned(self) -> "Stressed":
        names = ("forget_margin", "forget_given", "control_margin", "control_given", "readable")
        return replace(self, **{name: getattr(self, f"relearned_{name}") for name in names})


@dataclass(frozen=True, slots=True, eq=False)
class StressedSides:
    """An entry under stress beside the anchors: models of the oracle, and the originals."""

    entry: Stressed
    oracle: Stressed
    original: Stressed
    bits: tuple[int, ...]  # of the roundings, which are the conditions after the first; copies follow

    def condition_of(self, bits: int) -> list[int]:
        """Return the condition of a rounding; none if it was not made."""
        return [1 + self.bits.index(bits)] if bits in self.bits else []

    @property
    def copies(self) -> list[int]:
        """The conditions of perturbed copies."""
        return list(range(1 + len(self.bits), self.oracle.readable.shape[1]))

    @property
    def moments(self) -> int:
        """How many times relearning models were read."""
        return int(self.oracle.relearned_readable.shape[1])

    def twin(self) -> "StressedSides":
        """Put one half of the oracle's models in the place of the entry, and compare it with the other half."""
        first, second = self.oracle.halves()
        return replace(self, entry=first, oracle=second)
