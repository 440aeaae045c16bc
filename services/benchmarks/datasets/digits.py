"""Handwritten digits that come with scikit-learn, without a download or a licence agreement."""

from dataclasses import replace
from typing import Any

import numpy as np

from services.benchmarks.datasets.dataset import Dataset

__all__ = ["digits", "digits_pairs"]


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


def digits_pairs() -> Dataset:
    """Load the digits with one superclass for every two of them: 0 and 1, 2 and 3, up to 8 and 9.

    Models learn the superclasses and forget a fine class, as with the 20 superclasses of CIFAR-100.
    """
    fine = digits()
    return replace(fine, name=f"{fine.name}, in pairs", superclasses=fine.labels // 2)
