"""`neurips-2023`: the competition's score, final = F x utility, with the intervals that it did not have."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics.arrays import BadArray, check_finite, check_shape
from services.scorer.metrics.confidences import confidences
from services.scorer.metrics.epsilons import epsilons
from services.scorer.metrics.interval import (
    Estimate,
    final_estimate,
    quality_error,
    quality_estimate,
    utility_estimate,
)
from services.scorer.metrics.quality import forgetting_quality
from services.scorer.metrics.registry import metric

__all__ = ["MIN_DISTINCT_MODELS", "TOO_FEW_DISTINCT_MODELS", "ScoreCard", "score_neurips_2023"]

MIN_DISTINCT_MODELS = 8
TOO_FEW_DISTINCT_MODELS = "too_few_distinct_models"

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCard:
    """What one metric says of one evaluation."""

    forgetting_quality: Estimate
    utility: Estimate
    final_score: Estimate
    epsilons: NDArray[np.float32]  # [S], 0 to 50
    models: int
    distinct_models: int
    flags: tuple[str, ...]


@metric("neurips-2023")
def score_neurips_2023(
    *,
    unlearned_logits: Floats,
    oracle_logits: Floats,
    labels: NDArray[np.integer[Any]],
    unlearned_retain_accuracy: Floats,
    unlearned_test_accuracy: Floats,
    oracle_retain_accuracy: Floats,
    oracle_test_accuracy: Floats,
    distinct_models: int,
) -> ScoreCard:
    """Score N unlearned against M oracle models: logits [N, S, C] and [M, S, C], accuracies (0 to 1) [N] and [M].

    Below 8 distinct models F is 0 and flagged: its estimate means nothing. Raises BadArray for what cannot be scored.
    """
    unlearned = confidences(unlearned_logits, labels, name="unlearned_logits")
    oracle = confidences(oracle_logits, labels, name="oracle_logits")
    models = len(unlearned)
    if not 1 <= distinct_models <= models:
        raise ValueError(f"distinct_models is {distinct_models}; expected 1 to the number of models, {models}.")
    retain = (
        _accuracies(unlearned_retain_accuracy, "unlearned_retain_accuracy", models),
        _accuracies(oracle_retain_accuracy, "oracle_retain_accuracy", len(oracle), above_zero=True),
    )
    test = (
        _accuracies(unlearned_test_accuracy, "unlearned_test_accuracy", models),
        _accuracies(oracle_test_accuracy, "oracle_test_accuracy", len(oracle), above_zero=True),
    )
    utility = utility_estimate(retain, test)
    values = epsilons(unlearned, oracle)
    if distinct_models < MIN_DISTINCT_MODELS:
        nothing = Estimate(0.0, 0.0, 0.0)
        return ScoreCard(nothing, utility, nothing, values, models, distinct_models, (TOO_FEW_DISTINCT_MODELS,))
    quality = quality_estimate(
        forgetting_quality(values, min(models, len(oracle))),
        quality_error(unlearned, oracle),
    )
    final = final_estimate(quality, utility)
    return ScoreCard(quality, utility, final, values, models, distinct_models, ())


def _accuracies(array: Floats, name: str, models: int, *, above_zero: bool = False) -> NDArray[np.float64]:
    check_shape(array, name, ("model",))
    check_finite(array, name, ("model",))
    if len(array) != models:
        raise BadArray(
            f"{name} has {len(array)} models on axis 0, the logits have {models}.",
            axis=0,
            index=min(len(array), models),
        )
    outside = (array < 0) | (array > 1)
    if outside.any():
        index = int(np.argmax(outside))
        raise BadArray(f"{name} holds {array[index]} on axis 0, index {index}; expected 0 to 1.", axis=0, index=index)
    if above_zero and not array.any():
        raise BadArray(f"{name} is 0 for every model: no ratio to it exists. Rebuild the oracle.", axis=0, index=0)
    return np.asarray(array, dtype=np.float64)
