"""The oracle: models retrained from scratch without the forget set, and a rule for models that are unfit.

A model is *diverged* if a logit on the retain set is not finite, or if its retain accuracy is below half of the median
model's. One such model can decide a score, so the build retrains it from a further seed. The rule was fixed before any
model was trained, and the manifest says how many models were replaced. If more than 1% diverge, the recipe is at fault
and nothing is built.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from services.benchmarks.measuring import Trained
from services.core.errors import BadInput

__all__ = ["DivergedOracle", "find_diverged", "train_without_diverged"]

MAX_DIVERGED_SHARE = 0.01


class DivergedOracle(BadInput):
    code = "diverged_oracle"


def train_without_diverged(
    train: Callable[[Sequence[int]], Trained],
    *,
    seeds: Sequence[int],
    spare: Callable[[int], int],
) -> tuple[Trained, int]:
    """Train a model per seed, replace each diverged one by the next spare seed, and return the number of replacements.

    Raises DivergedOracle if more than 1% of the models diverge, replacements included.
    """
    models = train(seeds)
    allowed, replaced = int(len(seeds) * MAX_DIVERGED_SHARE), 0
    while positions := find_diverged(models):
        if replaced + len(positions) > allowed:
            raise DivergedOracle(
                f"{replaced + len(positions)} of {len(seeds)} retrained models diverged; at most {allowed} are "
                "allowed. Lower the recipe's learning rate."
            )
        models.replace(positions, train([spare(replaced + number) for number in range(len(positions))]))
        replaced += len(positions)
    return models, replaced


def find_diverged(models: Trained) -> list[int]:
    """Return the positions of diverged models."""
    accuracy: NDArray[np.float64] = models.retain_accuracy
    return [int(position) for position in np.flatnonzero(~models.finite | (accuracy < np.median(accuracy) / 2))]
