"""From epsilons to the one number F: points per example, averaged."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["forgetting_quality"]

BUCKET = 0.5


def forgetting_quality(epsilons: NDArray[np.floating[Any]], models: int) -> float:
    """Compute F, 0 to 1, from epsilons [S] of N models a side: an epsilon in bucket k of width 0.5 earns 2^-k.

    Buckets end at ceil(log(N - 1)); past the last one an example earns nothing. Up to two models have no bucket: F = 0.
    Where the sides have unequal numbers of models, pass the smaller. Source: the 2023 competition's scoring code.
    """
    if models <= 2:
        return 0.0
    buckets = int(np.ceil(np.log(models - 1)) / BUCKET)
    bucket = np.floor(np.asarray(epsilons, dtype=np.float32) / np.float32(BUCKET))
    return float(np.where(bucket < buckets, np.exp2(-bucket.astype(np.float64)), 0.0).mean())
