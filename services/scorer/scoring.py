"""From the measurements of an evaluation and of the oracle to a score."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.core.bundle import Bundle
from services.core.errors import BadInput
from services.core.measurements import Measurements
from services.scorer.metrics import METRICS, ScoreCard, confidences, epsilons, forgetting_quality

__all__ = ["TooManyModels", "UnknownMetric", "distinct_models", "forgetting_quality_of", "score_measurements"]


class UnknownMetric(BadInput):
    code = "unknown_metric"


class TooManyModels(BadInput):
    code = "too_many_models"


def score_measurements(metric: str, unlearned: Measurements, bundle: Bundle) -> ScoreCard:
    """Score N unlearned models against the first N of the benchmark's oracle, since F depends on N.

    Raises UnknownMetric, naming those there are, and TooManyModels.
    """
    if metric not in METRICS:
        raise UnknownMetric(f"There is no metric {metric}. Choose one of: {', '.join(sorted(METRICS))}.")
    if len(unlearned) > bundle.manifest.oracle_seeds:
        raise TooManyModels(
            f"There are {len(unlearned)} models, but the benchmark's oracle has {bundle.manifest.oracle_seeds}."
        )
    oracle = bundle.oracle().first(len(unlearned))
    retain = bundle.manifest.counts.retain
    test_labels = bundle.test_labels()
    card: ScoreCard = METRICS[metric](
        unlearned_logits=unlearned.forget_logits,
        oracle_logits=oracle.forget_logits,
        labels=bundle.forget_labels(),
        unlearned_retain_accuracy=_retain_accuracy(unlearned, retain),
        unlearned_test_accuracy=_test_accuracy(unlearned, test_labels),
        oracle_retain_accuracy=_retain_accuracy(oracle, retain),
        oracle_test_accuracy=_test_accuracy(oracle, test_labels),
        distinct_models=distinct_models(unlearned),
    )
    return card


def forgetting_quality_of(
    unlearned_logits: NDArray[np.float32], oracle_logits: NDArray[np.float32], labels: NDArray[np.int64]
) -> float:
    """Compute F of `neurips-2023` alone, from logits [N, S, classes] of both sides and labels [S]."""
    unlearned = confidences(unlearned_logits, labels)
    oracle = confidences(oracle_logits, labels)
    return forgetting_quality(epsilons(unlearned, oracle), min(len(unlearned), len(oracle)))


def distinct_models(measurements: Measurements) -> int:
    """Count models that are not copies of another, by checkpoint hash."""
    rows: Sequence[bytes] = [row.tobytes() for row in measurements.checkpoint_sha256]
    return len(set(rows))


def _retain_accuracy(measurements: Measurements, retain: int) -> NDArray[np.float64]:
    bits = np.unpackbits(measurements.retain_correct, axis=1, count=retain)
    return np.asarray(bits.mean(axis=1), dtype=np.float64)


def _test_accuracy(measurements: Measurements, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray((measurements.test_class == labels).mean(axis=1), dtype=np.float64)
