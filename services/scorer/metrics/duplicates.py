"""Near-duplicate models: counts the independent models of an entry.

F grows if few models are repeated: 64 distinct ones repeated 8 times score above 512 independent ones. Copies with
equal bytes are easily counted; a little noise hides a copy from a hash, but not from a distance.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist, squareform

from services.scorer.metrics.memory import remembered

__all__ = ["distances", "effective_models", "nearest"]

QUANTILE = 0.001

Floats = NDArray[np.floating[Any]]


def effective_models(unlearned: Floats, oracle: Floats) -> int:
    """Count models, by confidences [N, S], that are not near-duplicates of one counted before.

    A near-duplicate is closer than all but 0.1% of the oracle's models [M, S] are to their nearest neighbour: in the
    oracle's units, and also if each side is measured by its own median distance. Honestly similar models fail only the
    first condition (and if they are too similar, F is 0). Several clusters fail only the second. Repeated models fail
    both.
    """
    if min(len(unlearned), len(oracle)) < 2:
        return len(unlearned)
    mine = distances(unlearned, oracle, unlearned)
    limit, median = _among_themselves(oracle)
    own = limit * _median(mine) / max(median, 1e-12)
    return _packing(mine, min(limit, own))


@remembered
def _among_themselves(oracle: Floats) -> tuple[float, float]:
    """Return how near all but 0.1% of the oracle's models [M, S] are to another one, and their median distance."""
    theirs = distances(oracle, oracle, oracle)
    return float(np.quantile(nearest(theirs), QUANTILE)), _median(theirs)


def distances(models: Floats, oracle: Floats, others: Floats) -> NDArray[np.float64]:
    """Compute distances [N, K] between models [N, S] and others [K, S], every example scaled by the oracle's spread.

    Root mean square over examples, so that 1 is one standard deviation of the oracle on each.
    """
    spread = oracle.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0) * np.sqrt(models.shape[1])
    if models is others:
        return np.asarray(squareform(pdist(models / scale)), dtype=np.float64)  # the same, in half the time
    return np.asarray(cdist(models / scale, others / scale), dtype=np.float64)


def nearest(square: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each model to its nearest neighbour, from distances [N, N]."""
    alone = square + np.diag(np.full(len(square), np.inf))
    return np.asarray(alone.min(axis=1), dtype=np.float64)


def _median(square: NDArray[np.float64]) -> float:
    return float(np.median(square[np.triu_indices(len(square), 1)]))


def _packing(square: NDArray[np.float64], limit: float) -> int:
    """Count models in order; skip a model within the limit of one counted before, and always skip copies."""
    kept: list[int] = []
    for model in range(len(square)):
        if not kept or square[model, kept].min() > max(limit, 0.0):
            kept.append(model)
    return len(kept)
