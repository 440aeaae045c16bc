"""Quantities that the suites compute from logits and stored predictions, in float64 and in nats.

Labels of forget examples are those used in training: in a benchmark that forgets wrong labels, the wrong ones.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, expit

from services.scorer.metrics.evidence import Evidence, Models, Predictions

__all__ = [
    "Array",
    "cross_entropies",
    "entropies",
    "forget_accuracies",
    "label_probabilities",
    "log_odds",
    "probabilities",
    "stored_margins",
]

Array = NDArray[np.float64]
BLOCK = 16  # models


def log_odds(logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> Array:
    """Compute the label's logit minus log-sum-exp of the others, [N, S] nats, for logits [N, S, C], labels [S].

    Unlike the competition's confidences it has no floor near -103: gaps of any width keep their size.
    """
    result = np.empty(logits.shape[:2])
    rows = np.arange(len(labels))
    for first in range(0, len(logits), BLOCK):  # a few models at a time keep the float64 copies small
        others = logits[first : first + BLOCK].astype(np.float64)
        correct = others[:, rows, labels]
        others[:, rows, labels] = -np.inf
        largest = others.max(axis=2)
        np.exp(others - largest[..., None], out=others)
        result[first : first + BLOCK] = correct - (largest + np.log(others.sum(axis=2)))
    return result


def probabilities(logits: NDArray[np.floating[Any]]) -> Array:
    """Compute the softmax over the last axis."""
    wide = logits.astype(np.float64)
    exps: Array = np.exp(wide - wide.max(axis=-1, keepdims=True))
    exps /= exps.sum(axis=-1, keepdims=True)
    return exps


def entropies(logits: NDArray[np.floating[Any]]) -> Array:
    """Compute the entropy of the softmax over the last axis, in nats, rounded as stored entropies are.

    Stored entropies are float16. Rounding here too keeps forget examples and the others on one grid, so that no
    attack can tell them apart by their last digits.
    """
    exact: Array = entr(probabilities(logits)).sum(axis=-1)
    return exact.astype(np.float16).astype(np.float64)


def cross_entropies(margins: NDArray[np.floating[Any]]) -> Array:
    """Compute log(1 + exp(-margin)), in nats: the loss of an example whose log-odds are `margin`."""
    return np.logaddexp(0.0, -margins.astype(np.float64))


def label_probabilities(margins: NDArray[np.floating[Any]]) -> Array:
    """Compute the sigmoid: the probability that a model gives to the label whose log-odds are `margin`."""
    return expit(margins.astype(np.float64))  # type: ignore[no-any-return]


def forget_accuracies(models: Models, evidence: Evidence) -> Array:
    """Compute each model's accuracy on the forget examples, [N]; of tied classes, the first wins."""
    hits = models.forget_logits.argmax(axis=2) == evidence.forget_labels
    return hits.mean(axis=1)  # type: ignore[no-any-return]


def stored_margins(predictions: Predictions | None) -> NDArray[np.float32] | None:
    """Return the log-odds of the examples [N, T] whose logits were not kept, None if there are none."""
    return predictions.margins if predictions is not None and predictions.margins.size else None
