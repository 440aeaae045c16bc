"""The 2023 epsilon by its definition: every confidence against every threshold, as one matrix, as published.

It is slow on purpose and independent of `services.scorer.metrics`: tests compare the metric with it, and
`score_speed.py` races it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["example_epsilon", "torch_linspace"]

Column = NDArray[np.float64]
Rates = NDArray[np.float32]


def example_epsilon(unlearned: Column, retrained: Column) -> float | None:
    """Compute one example's epsilon from confidences [N] and [M]; None if every threshold is discarded."""
    spans = np.ptp(unlearned), np.ptp(retrained)
    if max(spans) > 0 and min(spans) / max(spans) < 0.01:
        return 50.0
    pos, neg = (unlearned, retrained)
    if np.median(retrained) > np.median(unlearned):
        pos, neg = retrained, unlearned
    kept = np.concatenate([_two_thresholds(pos, neg), _one_threshold(pos, neg)])
    kept = kept[~np.isnan(kept)]
    return float(np.clip(kept.max(), 0.0, 50.0)) if kept.size else None


def torch_linspace(low: float, high: float, count: int) -> NDArray[np.float32]:
    """Return torch.linspace(low, high, count) in float32: from both ends, product and sum rounded once (FMA)."""
    start, end = np.float32(low), np.float32(high)
    if count <= 1:
        return np.full(count, start)
    step = float((end - start) / np.float32(count - 1))
    i = np.arange(count)
    grid = np.where(i < count // 2, float(start) + i * step, float(end) - (count - 1 - i) * step)
    return grid.astype(np.float32)


def _one_threshold(pos: Column, neg: Column) -> Rates:
    both = np.concatenate([pos, neg])
    low, high = both.min(), both.max()
    grid = torch_linspace(low, high, int(np.ceil((high - low) * 100))).astype(np.float64)
    return _epsilons(pos[:, None] >= grid, neg[:, None] >= grid)


def _two_thresholds(pos: Column, neg: Column) -> Rates:
    if np.ptp(pos) >= np.ptp(neg):
        pos, neg = neg, pos
    width = np.ptp(pos)
    low, high = pos.min() + width - 2.0, pos.max() + 2.0
    rights = np.linspace(low, high, int(np.ceil((high - low) * 100)))
    lefts = np.concatenate([np.linspace(right - width - 2.0, right - width + 2.0, 400) for right in rights])
    rights = np.repeat(rights, 400)
    return _epsilons(
        (lefts <= pos[:, None]) & (pos[:, None] <= rights),
        (lefts <= neg[:, None]) & (neg[:, None] <= rights),
    )


def _epsilons(hit_pos: NDArray[np.bool_], hit_neg: NDArray[np.bool_]) -> Rates:
    """Turn decisions [models, thresholds] into one epsilon per threshold: inf without error, NaN if discarded."""
    fnr = (~hit_pos).mean(axis=0, dtype=np.float32)
    fpr = hit_neg.mean(axis=0, dtype=np.float32)
    one = np.float32(1 - 1e-5)  # 1 - delta
    with np.errstate(divide="ignore", invalid="ignore"):
        either: NDArray[Any] = np.fmax(np.log(one - fpr) - np.log(fnr), np.log(one - fnr) - np.log(fpr))
    epsilons: Rates = np.maximum(either, np.float32(0))
    epsilons[(fpr == 0) != (fnr == 0)] = np.nan
    epsilons[(fpr == 0) & (fnr == 0)] = np.inf
    return epsilons
