"""Controls: every attack that compares with the oracle, on examples that nobody forgot.

An attack on forget examples says how far outputs moved from retrained models', not why. If it is as strong on test
examples, the outputs drifted: the entry is another kind of model, as an exact retraining with another recipe is. Only
what forget examples show beyond controls is memory.

The attacks are those of `neurips-2023` (F), `u-lira` (accuracy) and `klom` (divergence), on margins, over at most 500
test and 500 probed retain examples, evenly chosen. An excess is the mean over forget minus that over test examples.
"""

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics.epsilons import epsilons
from services.scorer.metrics.evidence import Evidence, Predictions
from services.scorer.metrics.quality import points_of
from services.scorer.metrics.registry import suite
from services.scorer.metrics.suites.klom import divergences
from services.scorer.metrics.suites.predictions import Array, log_odds
from services.scorer.metrics.suites.twins import with_twin
from services.scorer.metrics.suites.u_lira import FEWEST, attack_accuracies

__all__ = ["controls"]

EXAMPLES = 500
_NAMES = ("quality_test", "quality_retain", "u_lira_test", "u_lira_excess", "klom_excess")


@suite("controls", columns=tuple(column for name in _NAMES for column in (name, f"{name}_oracle")))
@with_twin
def controls(evidence: Evidence) -> dict[str, float | None]:
    """Attack forget, test and probed retain examples in the same way."""
    models, oracle, labels = evidence.unlearned, evidence.oracle, evidence.forget_labels
    if min(len(models), len(oracle)) < FEWEST:
        return dict.fromkeys(_NAMES)
    forget = log_odds(models.forget_logits, labels), log_odds(oracle.forget_logits, labels)
    test, retain = _margins(models.test, oracle.test), _margins(models.probe, oracle.probe)
    values = dict.fromkeys(_NAMES) | {
        "quality_test": None if test is None else _quality(*test),
        "quality_retain": None if retain is None else _quality(*retain),
    }
    if test is None:
        return values
    u_lira, klom = (
        [float(attack(*sides).mean()) for sides in (forget, test)] for attack in (attack_accuracies, divergences)
    )
    return values | {"u_lira_test": u_lira[1], "u_lira_excess": u_lira[0] - u_lira[1], "klom_excess": klom[0] - klom[1]}


def _margins(mine: Predictions | None, theirs: Predictions | None) -> tuple[Array, Array] | None:
    """Choose examples, evenly: margins [N, T] and [M, T], or None if they were not measured."""
    if mine is None or theirs is None or not mine.margins.size:
        return None
    examples = mine.margins.shape[1]
    chosen: NDArray[np.int64] = np.unique(np.linspace(0, examples - 1, min(EXAMPLES, examples)).astype(np.int64))
    return mine.margins[:, chosen].astype(np.float64), theirs.margins[:, chosen].astype(np.float64)


def _quality(mine: Array, theirs: Array) -> float:
    """Compute F of `neurips-2023`."""
    return float(points_of(epsilons(mine, theirs), min(len(mine), len(theirs))).mean())
