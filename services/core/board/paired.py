"""Which of two entries is better, given that both were measured against the same oracle and the same forget set.

Every score comes with the final scores of disjoint halves of its models, in splits that divide the oracle alike for all
entries of a benchmark. In each split the two halves give two differences between the same two entries; half the square
of their difference is the variance of the difference at N/2, which is used for that at N (`scorer.metrics`
says why). The share that both entries owe to the same oracle models cancels. Common seeds pair nothing: different
algorithms draw different noise from the same seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

__all__ = ["Comparison", "HalvedScore", "RankInterval", "compare", "rank_intervals", "tie_groups"]

LEVEL = 0.05
BLOCK = 512  # rows of the table of all pairs that are held at once

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


@dataclass(frozen=True, slots=True)
class RankInterval:
    """The ranks that an entry may have, with 95% confidence against all others together."""

    best: int
    worst: int


def compare(one: HalvedScore, other: HalvedScore) -> Comparison:
    """Compare two entries of one benchmark, metric and N. Raises ValueError for halves of another shape."""
    halves = [np.asarray(entry.halves, dtype=np.float64) for entry in (one, other)]
    if halves[0].shape != halves[1].shape or halves[0].ndim != 2:
        raise ValueError("The two scores were made from different splits.")
    difference = one.final_score - other.final_score
    freedom = len(halves[0]) - 1
    error = float(_errors(np.stack(halves))[0, 1])
    reach = float(stdtrit(freedom, 1 - LEVEL / 2)) * error
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


def tie_groups(entries: Sequence[HalvedScore]) -> list[int]:
    """Number the tie groups of entries sorted from best to worst, from 1.

    Each joins the group of the highest entry that the paired test cannot separate it from, or opens the next group.
    """
    groups: list[int] = []
    for start, separated in _blocks(entries, LEVEL):
        for row, apart in enumerate(separated, start=start):
            tied = np.flatnonzero(~apart[:row])
            groups.append(groups[tied[0]] if len(tied) else max(groups, default=0) + 1)
    return groups


def rank_intervals(entries: Sequence[HalvedScore]) -> list[RankInterval]:
    """Bound each entry's rank by how many others are certainly better and certainly worse.

    Each entry's tests against all others hold together at 5% (Bonferroni).
    """
    scores = np.array([entry.final_score for entry in entries])
    intervals = []
    for start, separated in _blocks(entries, LEVEL / max(len(entries) - 1, 1)):
        for row, apart in enumerate(separated, start=start):
            better, worse = (apart & (scores > scores[row])).sum(), (apart & (scores < scores[row])).sum()
            intervals.append(RankInterval(int(better) + 1, len(entries) - int(worse)))
    return intervals


def _blocks(entries: Sequence[HalvedScore], level: float) -> list[tuple[int, NDArray[np.bool_]]]:
    """Test all pairs, some rows at a time: (first row, [rows, entries])."""
    if not entries:
        return []
    scores = np.array([entry.final_score for entry in entries])
    halves = np.array([entry.halves for entry in entries], dtype=np.float64)
    factor = float(stdtrit(halves.shape[1] - 1, 1 - level / 2))
    return [
        (start, np.abs(scores[start : start + BLOCK, None] - scores) > factor * _errors(halves, start))
        for start in range(0, len(entries), BLOCK)
    ]


def _errors(halves: Floats, start: int = 0) -> Floats:
    """Compute the standard errors of differences between entries [start, start + BLOCK) and all: halves [E, K, 2]."""
    gaps = halves[:, :, 0] - halves[:, :, 1]
    rows = gaps[start : start + BLOCK]
    squares = (rows**2).sum(axis=1)[:, None] + (gaps**2).sum(axis=1) - 2 * rows @ gaps.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0) / (2 * gaps.shape[1])), dtype=np.float64)


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
