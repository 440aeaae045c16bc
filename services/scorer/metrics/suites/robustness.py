"""Robustness: what an entry's models still remember under stress. The phase must have the stage switched on.

Memory after rounding and on perturbed copies is `lethe-2`'s memory, read again from these outputs. Relearning is the
part of the original's shift that models have after fine-tuning on retain examples: 1 for the original, relearned in the
same way, and 0 for retrained models; controls are subtracted, so that drift does not count.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from services.scorer.metrics.evidence import Evidence
from services.scorer.metrics.lethe_2 import LEAST_MEMORY, memory_of
from services.scorer.metrics.registry import suite
from services.scorer.metrics.shifts import Outputs, Shifts
from services.scorer.metrics.stress import Stressed, StressedSides

__all__ = ["robustness"]

LEAST_GAP = 0.05  # of accuracies of original and oracle on the forget set, below which their ratio says nothing
LEVEL = 0.95
_WITH_TWIN = (
    "clean_memory",
    "int8_memory",
    "int4_memory",
    "perturbed_memory",
    "relearning_early",
    "relearning",
    "relearned_labels",
    "distance_to_original",
    "poison_success",
)
_INTERVAL = ("relearning_low", "relearning_high")
_COLUMNS = (
    *(
        column
        for name in _WITH_TWIN
        for column in (name, f"{name}_oracle", *(_INTERVAL if name == "relearning" else ()))
    ),
    *("unreadable", "models_read"),
)

Values = dict[str, float | None]


@suite(
    "robustness",
    columns=_COLUMNS,
    applies=lambda evidence: evidence.stress is not None,
)
def robustness(evidence: Evidence) -> Values:
    """Read memory under stress, relearning, distance and poison of an entry, and of retrained models in its place."""
    sides = evidence.stress
    assert sides is not None
    values, twin = _values(sides), _values(sides.twin())
    read_of = np.concatenate([sides.entry.readable.ravel(), sides.entry.relearned_readable.ravel()])
    return {
        **values,
        **{f"{name}_oracle": twin[name] for name in _WITH_TWIN},
        "unreadable": float(1 - read_of.mean()),
        "models_read": float(len(sides.entry.readable)),
    }


def _values(sides: StressedSides) -> Values:
    last, early = sides.moments - 1, 0
    recovered = _recovered(sides, last)
    margin = None if recovered is None else _half_width(recovered)
    return {
        "clean_memory": _memory(sides, [0]),
        "int8_memory": _memory(sides, sides.condition_of(8)),
        "int4_memory": _memory(sides, sides.condition_of(4)),
        "perturbed_memory": _memory(sides, sides.copies),
        "relearning_early": _mean(_recovered(sides, early)),
        "relearning": _mean(recovered),
        "relearning_low": None if margin is None else _mean(recovered, -margin),
        "relearning_high": None if margin is None else _mean(recovered, margin),
        "relearned_labels": _labels(sides, last),
        "distance_to_original": _moved(sides.entry),
        "poison_success": float(sides.entry.poison_given.mean()) if sides.entry.poison_given.size else None,
    }


def _memory(sides: StressedSides, conditions: Sequence[int]) -> float | None:
    """Read `lethe-2`'s memory in some conditions together; None if they were not made or too few are readable."""
    outputs = _outputs(sides, conditions) if conditions else None
    if outputs is None:
        return None
    entry, oracle, original = outputs
    start = Shifts.between(original, oracle)
    return memory_of(Shifts.between(entry, oracle), start).value if _excess(start) >= LEAST_MEMORY else None


def _recovered(sides: StressedSides, moment: int) -> NDArray[np.float64] | None:
    """Compute how much of the original's shift each model has after relearning, [n]."""
    outputs = _outputs(sides, [moment], relearned=True) if sides.moments else None
    if outputs is None:
        return None
    entry, oracle, original = outputs
    start = Shifts.between(original, oracle)
    whole = _excess(start)
    if whole < LEAST_MEMORY:
        return None
    each = [Shifts.between(entry.take(np.array([number])), oracle) for number in range(len(entry))]
    return np.array([((one.forget * start.forget).mean() - (one.test * start.test).mean()) / whole for one in each])


def _outputs(
    sides: StressedSides, conditions: Sequence[int], *, relearned: bool = False
) -> tuple[Outputs, Outputs, Outputs] | None:
    entry, oracle = (side.outputs(conditions, relearned=relearned) for side in (sides.entry, sides.oracle))
    original = sides.original.outputs(conditions, relearned=relearned, fewest=1)
    return None if entry is None or oracle is None or original is None else (entry, oracle, original)


def _excess(start: Shifts) -> float:
    return float((start.forget**2).mean() - (start.test**2).mean())


def _labels(sides: StressedSides, moment: int) -> float | None:
    """Compare accuracies on forget examples after relearning: 0 is the oracle's, 1 the original's."""
    if not sides.moments or not all(
        len(side.relearned_readable) for side in (sides.entry, sides.oracle, sides.original)
    ):
        return None
    entry, oracle, original = (
        float(side.relearned_forget_given[:, moment].mean()) for side in (sides.entry, sides.oracle, sides.original)
    )
    return (entry - oracle) / (original - oracle) if original - oracle >= LEAST_GAP else None


def _moved(side: Stressed) -> float:
    return float((side.distance[:, 0] / np.maximum(side.distance[:, 1], np.finfo(float).tiny)).mean())


def _mean(values: NDArray[np.float64] | None, more: float = 0.0) -> float | None:
    return None if values is None else float(values.mean()) + more


def _half_width(values: NDArray[np.float64]) -> float | None:
    """Half of the interval of the mean over seeds, by Student's t."""
    if len(values) < 2:
        return None
    return float(t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
