"""Datasets, as arrays. What an entry of a benchmark is, and where it came from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Dataset", "Split", "digits", "split"]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Images float32 [n, ...] and labels int64 [n]."""

    name: str
    licence: str
    images: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: int


@dataclass(frozen=True, slots=True)
class Split:
    """Indexes into a dataset; disjoint."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def digits() -> Dataset:
    """Load scikit-learn's copy of the UCI handwritten digits: 1,797 images of 8x8, pixels scaled to -1 to 1.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
    """
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    return Dataset(
        name="UCI optical recognition of handwritten digits, as packaged with scikit-learn",
        licence="CC-BY-4.0",
        images=(bunch.data / 8.0 - 1.0).astype(np.float32),
        labels=bunch.target.astype(np.int64),
        classes=10,
    )


def split(count: int, *, train: int, validation: int, generator: np.random.Generator) -> Split:
    """Cut a random permutation of `count` examples into train, validation and the rest for test."""
    order = generator.permutation(count).astype(np.int64)
    return Split(order[:train], order[train : train + validation], order[train + validation :])
