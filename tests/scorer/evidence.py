"""Evidence to score, drawn from known distributions."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics import Evidence, Models

EXAMPLES, CLASSES = 24, 10


def hashes(models: int, distinct: int | None = None) -> NDArray[np.uint8]:
    """Make checkpoint hashes [models, 32], some of them equal."""
    names = np.arange(models) % (distinct or models)
    return np.stack([np.frombuffer(int(name).to_bytes(32, "big"), dtype=np.uint8) for name in names])


def draw_evidence(
    shift: float = 0.0, models: int = 32, oracle: int = 32, *, seed: int = 0, second: int | None = None
) -> Evidence:
    """Draw normal logits around centres that both sides share; `shift` moves the unlearned label's logit."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, EXAMPLES)
    centre = rng.normal(0, 2, (1, EXAMPLES, CLASSES))
    unlearned = centre + rng.normal(size=(models, EXAMPLES, CLASSES))
    unlearned[:, np.arange(EXAMPLES), labels] += shift

    def logits(count: int) -> NDArray[np.float32]:
        return (centre + rng.normal(size=(count, EXAMPLES, CLASSES))).astype(np.float32)

    def retrained(count: int) -> Models:
        return Models(logits(count), np.linspace(0.98, 1.0, count), np.linspace(0.84, 0.86, count))

    return Evidence(
        unlearned=Models(
            unlearned.astype(np.float32), np.linspace(0.88, 0.92, models), np.linspace(0.78, 0.82, models)
        ),
        oracle=retrained(oracle),
        forget_labels=labels,
        second_oracle=retrained(second) if second else None,
    )


def changed(evidence: Evidence, side: str, **arrays: Any) -> Evidence:
    """Replace arrays of one side's models."""
    return replace(evidence, **{side: replace(getattr(evidence, side), **arrays)})


def of_confidences(confidences: NDArray[np.floating[Any]], accuracy: float = 0.9) -> Models:
    """Make models of two classes whose confidence in class 0 is as given, [N, S]."""
    logits = np.stack([confidences, np.zeros_like(confidences)], axis=-1).astype(np.float64)
    accuracies = np.full(len(confidences), accuracy)
    return Models(logits, accuracies, accuracies)
