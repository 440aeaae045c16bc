"""Forgetting scenarios: which training examples are to be forgotten, and what made them worth forgetting."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scenario", "random_with_wrong_labels"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Positions within the training set, and the labels that training sees."""

    forget: NDArray[np.int64]  # [S]
    retain: NDArray[np.int64]
    labels: NDArray[np.int64]  # [train], wrong ones included
    description: str


def random_with_wrong_labels(
    labels: NDArray[np.int64], *, classes: int, forget: int, wrong: int, generator: np.random.Generator
) -> Scenario:
    """Draw `forget` examples at random and give the first `wrong` of them another class, chosen uniformly.

    With clean labels a model that never saw the forget set treats it as the original does, and a benchmark rewards
    diversity instead of forgetting; wrong labels leave something that can only be known by having seen them.
    """
    order = generator.permutation(len(labels)).astype(np.int64)
    trained = labels.copy()
    mislabelled = order[:wrong]
    trained[mislabelled] = (labels[mislabelled] + generator.integers(1, classes, size=wrong)) % classes
    return Scenario(
        forget=order[:forget],
        retain=np.sort(order[forget:]),
        labels=trained,
        description=f"{forget} of {len(labels)} training images at random, {wrong} of them with a wrong label",
    )
