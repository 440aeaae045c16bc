"""Logit-scaled confidences of forget examples: the numbers that every distribution attack uses."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics.arrays import BadArray, check_finite, check_labels, check_shape

__all__ = ["confidences"]

AXES = ("seed", "example", "class")
ROWS = 4096
TINY = 1e-45  # from the published code: keeps log(0) at -103.6, and changes no other probability


def confidences(
    logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], *, name: str = "logits"
) -> NDArray[np.float64]:
    """Compute log p_y - log(sum of the other p), in nats, for logits [N, S, C] and labels [S]: float64 [N, S].

    Source: the 2023 competition's scoring code. The row maximum is subtracted and exp taken in float32 (in float64 if
    the logits are; half precision is upcast, without which gaps beyond 17 saturate). The logits are not changed.
    Raises BadArray, which calls the logits by `name`; for a non-finite logit it names the seed.
    """
    check_shape(logits, name, AXES)
    models, examples, classes = logits.shape
    if classes < 2:
        raise BadArray(f"{name} has one class on axis 2; expected at least two.", axis=2, index=0)
    check_labels(labels, examples, classes)
    check_finite(logits, name, AXES)
    result = np.empty((models, examples))
    step = max(1, ROWS // examples)
    for first in range(0, models, step):  # a few models at a time, whose intermediate arrays a cache can hold
        some = logits[first : first + step]
        rows = _of_rows(some.reshape(-1, classes), np.tile(labels, len(some)))
        result[first : first + step] = rows.reshape(len(some), examples)
    return result


def _of_rows(logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    wide = logits.astype(np.result_type(logits.dtype, np.float32))
    rows = np.arange(len(labels))
    with np.errstate(over="ignore", under="ignore"):  # a gap beyond the range of float32 is a probability of 0
        exps = np.exp(wide - wide.max(axis=1, keepdims=True))
    probabilities = exps.astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    correct = probabilities[rows, labels]
    probabilities[rows, labels] = 0.0
    result: NDArray[np.float64] = np.log(correct + TINY) - np.log(probabilities.sum(axis=1) + TINY)
    return result
