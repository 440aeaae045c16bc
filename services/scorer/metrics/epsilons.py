"""The 2023 competition's epsilon: how far apart two sets of models are on each forget example.

`docs/scoring.md` describes the comparison with the public code and its result.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics.arrays import pair_confidences
from services.scorer.metrics.chunks import ascending, in_chunks
from services.scorer.metrics.kernel import fill_epsilons

__all__ = ["DELTA", "epsilons"]

DELTA = 1e-5


def epsilons(
    unlearned: NDArray[np.floating[Any]], retrained: NDArray[np.floating[Any]], *, trim: float = 0.0
) -> NDArray[np.float32]:
    """Compute the epsilon (0 to 50, in nats) of each example from confidences [N, S] and [M, S]: float32 [S].

    A side's range, by which the published code recognises narrow sides and places its second family of thresholds, runs
    from the quantile `trim` (0 to 0.5) to 1 - `trim`; 0 is published.
    Source: the 2023 competition's scoring code. With `trim` 0 the result is equal, except if that code has no answer:
    - every threshold discarded (as with two equal constants): 0 if both sides agree in minimum, maximum and median,
      else 50, so that no entry gains from it;
    - unequal numbers of models: each rate is the mean over its own side.
    Raises BadArray for a wrong shape, an empty axis, unequal S or a value that is not finite.
    """
    sides = pair_confidences(unlearned, retrained)
    own_logs, retrained_logs = (_error_logs(len(side)) for side in sides)
    result = np.empty(sides[0].shape[1], dtype=np.float32)

    def fill(part: slice) -> None:
        mine, theirs = (ascending(side, part) for side in sides)
        fill_epsilons(mine, theirs, own_logs, retrained_logs, trim, result[part])

    in_chunks(fill, len(result), models=sum(map(len, sides)))
    return result


@lru_cache(maxsize=16)
def _error_logs(models: int) -> NDArray[np.float32]:
    """Tabulate log(1 - delta - k/n) and log(k/n) for k = 0 .. n errors, in float32 as published: [2, n + 1].

    The first has no value at k = n; -inf gives the maximum to the other one, as if a NaN were ignored.
    """
    rates = np.arange(models + 1, dtype=np.float32) / np.float32(models)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.stack([np.float32(1 - DELTA) - rates, rates]))
    return np.nan_to_num(logs, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
