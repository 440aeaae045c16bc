"""The uncertainty of a score: on a re-run of the same entry, and with other originals and another forget set.

The *re-run* estimand is E[F at N] over fresh unlearning runs and fresh oracle models, given the original model, the
oracle's recipe and the forget set. The *generalisation* estimand also draws other originals and other subjects.

Re-run. Two disjoint halves of the models are two independent evaluations at N/2, so half their squared difference is an
unbiased variance of F at N/2; 16 random splits are averaged. F's noise comes from the few models in the tails and
hardly shrinks with N, so the error at N/2 is used for N, which is slightly too wide. The interval is centred on F
itself, because halves have another F but the same kind of noise. It is symmetric in log(F + 0.001), because F is a mean
of few large points, so its noise grows with it. The t quantile has 15 degrees of freedom.

Generalisation. Whole subjects are resampled, as the linearised cluster variance of a mean. The noise of each example,
estimated from the halves, is subtracted, because the re-run error already contains it; then the two are added, with the
part of the originals (`variance.py`) if runs started from several.

Paired. The oracle is split in the same way for all entries of a benchmark, so halves of two entries share oracle
halves, and the variance of their difference excludes the noise of the shared oracle. `core.board.paired` computes the
test from stored halves.

`docs/calibration.md` shows coverage and bias of this method and its alternatives on cases with a known truth.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from services.scorer.metrics.card import Estimate

__all__ = [
    "ORACLE",
    "SPLITS",
    "UNLEARNED",
    "between_subjects",
    "error_of_halves",
    "half_points",
    "interval",
    "orders",
    "product",
    "quantile",
    "subject_variance",
    "symmetric",
]

SPLITS = 16
LEVEL = 0.95
LARGEST_EXPONENT = 500.0  # beyond it, an interval covers the whole range
OFFSET = 1e-3  # below it, F is only noise, and relative errors mean nothing
SPLIT_SEED = 2023  # public and fixed, so that a score can be recomputed to the last bit
UNLEARNED, ORACLE = 0, 1

Floats = NDArray[np.floating[Any]]
Points = Callable[[Floats, Floats], NDArray[np.float64]]  # confidences of both sides -> points [S]


@lru_cache(maxsize=16)
def orders(models: int, side: int) -> NDArray[np.int64]:
    """Shuffle one side's models for every split, [splits, models]; every other column is one half.

    The two sides (UNLEARNED 0, ORACLE 1) draw separately, so that the oracle's halves do not depend on an entry.
    """
    rng = np.random.default_rng([SPLIT_SEED, side, models])
    return np.stack([rng.permutation(models) for _ in range(SPLITS)])


def half_points(unlearned: Floats, oracle: Floats, points: Points) -> NDArray[np.float64]:
    """Compute the points of both halves of every split, from confidences [N, S] and [M, S]: [splits, 2, S].

    One model has no halves, so all points and the error are 0.
    """
    if min(len(unlearned), len(oracle)) < 2:
        return np.zeros((SPLITS, 2, unlearned.shape[1]))
    mine, theirs = orders(len(unlearned), UNLEARNED), orders(len(oracle), ORACLE)
    return np.stack(
        [
            np.stack([points(unlearned[own[half::2]], oracle[other[half::2]]) for half in (0, 1)])
            for own, other in zip(mine, theirs, strict=True)
        ]
    )


def error_of_halves(halves: NDArray[np.float64]) -> float:
    """Estimate the standard error of a score from its halves [splits, 2]."""
    return float(np.sqrt(np.mean((halves[:, 0] - halves[:, 1]) ** 2) / 2))


def subject_variance(values: NDArray[np.float64], subjects: NDArray[Any]) -> float:
    """Estimate the variance of the mean of values [S] over resampled subjects [S], at least two of them."""
    names, members = np.unique(subjects, return_inverse=True)
    residuals = np.bincount(members, weights=values - values.mean())
    groups = len(names)
    return float(groups / (groups - 1) * (residuals**2).sum() / len(values) ** 2)


def between_subjects(
    points: NDArray[np.float64], halves: NDArray[np.float64], subjects: NDArray[Any], *, noise: float = 1.0
) -> float:
    """Estimate F's standard error due only to the choice of subjects, from points [S] and halves [splits, 2, S].

    `noise` is the variance that points have from runs, over that of the halves' points.
    """
    runs = float(np.mean([subject_variance(pair[0] - pair[1], subjects) / 2 for pair in halves]))
    return float(np.sqrt(max(subject_variance(points, subjects) - noise * runs, 0.0)))


def interval(value: float, error: float, *, freedom: float = SPLITS - 1, highest: float = 1.0) -> Estimate:
    """Compute the 95% interval of a score with the maximum `highest`, given its standard error."""
    factor = float(np.exp(min(quantile(freedom) * error / (value + OFFSET), LARGEST_EXPONENT)))
    low, high = (value + OFFSET) / factor - OFFSET, (value + OFFSET) * factor - OFFSET
    return Estimate(value, min(max(low, 0.0), value), max(min(high, highest), value))


def symmetric(value: float, error: float, *, freedom: float = SPLITS - 1) -> Estimate:
    """Compute the 95% interval of a score between 0 and 1 that is a mean, given its standard error.

    A mean that rounding moved out of this range is brought back.
    """
    value, reach = min(max(value, 0.0), 1.0), quantile(freedom) * error
    return Estimate(value, max(value - reach, 0.0), min(value + reach, 1.0))


def product(quality: Estimate, utility: Estimate) -> Estimate:
    """Multiply F and utility. Their errors count as independent, so their distances to the ends add as squares.

    Utility's error is some fifty times smaller, so the part that both share (a model that is off in both) is small too.
    """
    below, above = (
        float(np.hypot((end - quality.value) * utility.value, (other - utility.value) * quality.value))
        for end, other in ((quality.low, utility.low), (quality.high, utility.high))
    )
    value = quality.value * utility.value
    return Estimate(value, max(value - below, 0.0), value + above)


def quantile(freedom: float) -> float:
    """Return the two-sided 95% quantile of Student's t."""
    return float(stdtrit(freedom, 0.5 + LEVEL / 2))
