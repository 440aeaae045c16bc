"""Which of two entries is better, given that both were measured against the same oracle and the same forget set.

Every score comes with the final scores of disjoint halves of its models, in splits that divide the oracle alike for all
entries of a benchmark. In each split the two halves give two differences between the same two entries; half the square
of their difference is the variance of the difference at N/2, which is used for that at N (`scorer.metrics`
says why). The share that both entries owe to the same oracle models cancels. Common seeds pair nothing: different
algorithms draw different noise from the same seed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

__all__ = ["LEVEL", "Comparison", "HalvedScore", "compare", "critical_value", "own_errors"]

LEVEL = 0.05  # of the test

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HalvedScore:
    """A final score, its halves [splits][2], and per subject (points, examples)."""

    final_score: float
    halves: Sequence[Sequence[float]]
    subject_points: Sequence[Sequence[float]] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """A's final score minus B's."""

    difference: float
    low: float  # 95% interval over re-runs
    high: float
    p_better: float  # P(A > B) if both were re-run
    p_better_elsewhere: float | None  # the same, with a different forget set
    separated: bool  # at the 5% level, over re-runs


def compare(one: HalvedScore, other: HalvedScore) -> Comparison:
    """Compare two entries of one benchmark, metric and N. Raises ValueError for halves of another shape."""
    halves = [np.asarray(entry.halves, dtype=np.float64) for entry in (one, other)]
    if halves[0].shape != halves[1].shape or halves[0].ndim != 2:
        raise ValueError("The two scores were made from different splits.")
    difference = one.final_score - other.final_score
    freedom = len(halves[0]) - 1
    gaps = [half[:, 0] - half[:, 1] for half in halves]
    error = float(own_errors(gaps[0] - gaps[1]))
    reach = critical_value(LEVEL, len(halves[0])) * error
    subjects = _subject_variance(one, other)
    return Comparison(
        difference=difference,
        low=difference - reach,
        high=difference + reach,
        p_better=_probability(difference, error, freedom),
        p_better_elsewhere=(
            None
            if subjects is None
            else _probability(
                difference, float(np.hypot(error, np.sqrt(subjects))), min(freedom, len(one.subject_points) - 1)
            )
        ),
        separated=abs(difference) > reach,
    )


def critical_value(level: float, splits: int) -> float:
    """Return how many standard errors separate two entries at a two-sided level; NaN for fewer than two splits."""
    return float(stdtrit(splits - 1, 1 - level / 2)) if splits > 1 else math.nan


def own_errors(gaps: Floats) -> Floats:
    """Compute each entry's own standard error from the differences of its halves: [..., K] to [...].

    The error of the difference between two entries is that of the difference between their gaps.
    """
    return np.asarray(np.sqrt(np.square(gaps).sum(axis=-1) / (2 * gaps.shape[-1])), dtype=np.float64)


def _subject_variance(one: HalvedScore, other: HalvedScore) -> float | None:
    """Estimate the variance of the difference over resampled subjects; None if there are fewer than two.

    It includes the noise of the runs, so a test that uses it errs on the side of not separating entries.
    """
    mine, theirs = np.asarray(one.subject_points), np.asarray(other.subject_points)
    if mine.shape != theirs.shape or len(mine) < 2:
        return None
    sizes, gaps = mine[:, 1], mine[:, 0] - theirs[:, 0]
    residuals = gaps - sizes * gaps.sum() / sizes.sum()
    return float(len(mine) / (len(mine) - 1) * (residuals**2).sum() / sizes.sum() ** 2)


def _probability(difference: float, error: float, freedom: int) -> float:
    if error == 0.0:
        return 0.5 if difference == 0.0 else float(difference > 0)
    return float(stdtr(freedom, difference / error))
