"""From epsilons to forgetting quality F: points per example, averaged."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["forgetting_quality", "points_of"]

BUCKET = 0.5


def points_of(epsilons: NDArray[np.floating[Any]], models: int) -> NDArray[np.float64]:
    """Return each example's points, 0 to 1, for epsilons [S] of N models per side: 2^-k in bucket k of width 0.5.

    Buckets end at ceil(log(N - 1)); beyond the last one an example earns nothing. Up to two models have no buckets, so
    the points are 0. If the sides have unequal numbers of models, pass the smaller. Source: the 2023 competition's
    scoring code.
    """
    if models <= 2:
        return np.zeros(len(epsilons))
    buckets = int(np.ceil(np.log(models - 1)) / BUCKET)
    bucket = np.floor(np.asarray(epsilons, dtype=np.float32) / np.float32(BUCKET))
    return np.where(bucket < buckets, np.exp2(-bucket.astype(np.float64)), 0.0)


def forgetting_quality(epsilons: NDArray[np.floating[Any]], models: int) -> float:
    """Compute F, 0 to 1: the mean of the examples' points."""
    return float(points_of(epsilons, models).mean())
