"""The paired tests of a whole leaderboard: tie groups and rank intervals, exact, without testing every pair.

The error of a difference is at most the sum of both entries' own errors (triangle inequality) and at least their
difference. So two entries whose scores are far apart are separated, and are only counted; the exact test runs on
neighbours alone. `services.core.board.paired` defines the test, and here it is applied to entries in order.

Entries come from best to worst: scores [E], and gaps [E, K], the differences of the two halves of each of K splits. An
entry whose gaps hold NaN is never separated from another.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from services.core.board.paired import LEVEL, critical_value, own_errors

__all__ = ["RankIntervals", "rank_intervals", "tie_groups"]

BLOCK = 256  # neighbours that are tested at once
SLACK = 1e-9  # of a bound, far above its rounding error: what it decides, the exact test would decide alike

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Share = tuple[int, int]  # the first entry of a share, and the step to the next
Function = TypeVar("Function", bound=Callable[..., Any])
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class RankIntervals:
    """The ranks that each entry may have, with 95% confidence against all others together: best [E] and worst [E]."""

    best: Counts
    worst: Counts


class _Board(NamedTuple):
    """What the tests of one level read: scores [E], gaps [E, K], each entry's reach own [E], and that of one error."""

    scores: Floats
    gaps: Floats
    own: Floats
    reach: float


class _Counted(NamedTuple):
    """For each entry the number of better ones [E] and worse ones [E]; a step [E + 1] adds one better from there on."""

    better: Counts
    worse: Counts
    steps: Counts


def tie_groups(scores: Floats, gaps: Floats) -> Counts:
    """Number the tie groups of entries sorted from best to worst, from 1.

    Each joins the group of the highest entry that the paired test cannot separate it from, or opens the next group.
    """
    board = _board(scores, gaps, LEVEL)
    lowest = np.minimum.accumulate(_known(scores - board.own, -np.inf))
    found = np.empty(len(scores), dtype=np.int64)
    _side_by_side(len(scores), lambda share: _find_tied(board, lowest, found, share))
    return _number_groups(found)


def rank_intervals(scores: Floats, gaps: Floats, level: float = LEVEL) -> RankIntervals:
    """Bound each entry's rank by how many others are certainly better and certainly worse.

    Each entry's tests against all others hold together at `level` (Bonferroni).
    """
    entries, splits = gaps.shape
    board = _board(scores, gaps, level / max(entries - 1, 1))
    upper = np.maximum.accumulate(_known(scores + board.own, np.inf)[::-1])[::-1]
    rows = np.zeros((-(-splits // 4) * 4, entries))  # in fours, because the compiler makes the best of these
    rows[:splits] = gaps.T

    def count(share: Share) -> _Counted:
        counted = _Counted(*(np.zeros(entries + extra, dtype=np.int64) for extra in (0, 0, 1)))
        _count_apart(board, rows, upper, counted, share)
        return counted

    shares = _side_by_side(entries, count)
    better = sum((one.better + np.cumsum(one.steps[:-1]) for one in shares), start=np.int64(1))
    worse = sum((one.worse for one in shares), start=np.int64(0))
    return RankIntervals(best=np.asarray(better), worst=np.asarray(entries - worse))


def _board(scores: Floats, gaps: Floats, level: float) -> _Board:
    reach = critical_value(level, gaps.shape[1])
    return _Board(scores, gaps, reach * own_errors(gaps), reach)


def _side_by_side(entries: int, work: Callable[[Share], Result]) -> list[Result]:
    """Share entries out between the machine's cores: each takes every so-manieth, so that all have as much to do."""
    cores = max(1, min(len(os.sched_getaffinity(0)), entries // 1000))
    if cores == 1:
        return [work((0, 1))]
    with ThreadPoolExecutor(cores) as pool:
        return list(pool.map(work, [(first, cores) for first in range(cores)]))


def _known(values: Floats, unknown: float) -> Floats:
    return np.where(np.isnan(values), unknown, values)


def _compiled(function: Function) -> Function:
    """Compile on the first call and keep the machine code on disk. Sums may be taken in another order, to be fast."""
    made = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
    return cast(Function, made(function))


@_compiled
def _separated(board: _Board, one: int, other: int) -> bool:
    difference = abs(board.scores[one] - board.scores[other])
    if difference > (board.own[one] + board.own[other]) * (1 + SLACK):
        return True
    if difference < abs(board.own[one] - board.own[other]) * (1 - SLACK):
        return False
    splits = board.gaps.shape[1]
    squares = 0.0
    for split in range(splits):
        apart = board.gaps[one, split] - board.gaps[other, split]
        squares += apart * apart
    return bool(difference > board.reach * np.sqrt(squares / (2 * splits)))


@_compiled
def _find_tied(board: _Board, lowest: Floats, found: Counts, share: Share) -> None:
    """Find for each entry the highest one above it that it is not separated from, or -1: found [E].

    `lowest` [E] is the smallest value that any entry from the top to this one may have.
    """
    first, step = share
    for entry in range(first, len(board.scores), step):
        top = board.scores[entry] + board.own[entry]
        limit = np.inf if np.isnan(top) else top + SLACK * abs(top)
        low, high = 0, entry
        while low < high:  # the first entry that comes so low
            middle = (low + high) // 2
            if lowest[middle] <= limit:
                high = middle
            else:
                low = middle + 1
        while low < entry and _separated(board, low, entry):
            low += 1
        found[entry] = low if low < entry else -1


@_compiled
def _count_apart(board: _Board, rows: Floats, upper: Floats, counted: _Counted, share: Share) -> None:
    """Count for each entry those above and below that it is separated from.

    `rows` [4n, E] are the gaps, transposed, so that a block of neighbours is tested at once. `upper` [E] is the largest
    value that any entry from this one to the bottom may have: from the first entry where it is certainly below this
    entry, all are separated, and are counted in one step. The innermost loops read slices from their beginning, because
    the compiler cannot make vectors of `rows[start + other]`, whose index might be negative: five times the time.
    """
    scores, better = board.scores, counted.better
    entries, per_root = len(scores), board.reach / np.sqrt(2 * board.gaps.shape[1])
    squares = np.empty(BLOCK)
    first, step = share
    for entry in range(first, entries, step):
        bottom = scores[entry] - board.own[entry]
        limit = -np.inf if np.isnan(bottom) else bottom - SLACK * abs(bottom)
        low, high = entry + 1, entries
        while low < high:
            middle = (low + high) // 2
            if upper[middle] < limit:
                high = middle
            else:
                low = middle + 1
        counted.steps[low] += 1
        count = entries - low
        for start in range(entry + 1, low, BLOCK):
            stop = min(start + BLOCK, low)
            squares[:] = 0.0
            for split in range(0, len(rows), 4):
                own0, own1 = rows[split, entry], rows[split + 1, entry]
                own2, own3 = rows[split + 2, entry], rows[split + 3, entry]
                gaps0, gaps1 = rows[split, start:stop], rows[split + 1, start:stop]
                gaps2, gaps3 = rows[split + 2, start:stop], rows[split + 3, start:stop]
                for other in range(stop - start):
                    gap0, gap1 = own0 - gaps0[other], own1 - gaps1[other]
                    gap2, gap3 = own2 - gaps2[other], own3 - gaps3[other]
                    squares[other] += gap0 * gap0 + gap1 * gap1 + gap2 * gap2 + gap3 * gap3
            below, losing = scores[start:stop], better[start:stop]
            for other in range(stop - start):
                apart = np.int64(scores[entry] - below[other] > per_root * np.sqrt(squares[other]))
                losing[other] += apart
                count += int(apart)
        counted.worse[entry] += count


@_compiled
def _number_groups(highest_tied: Counts) -> Counts:
    groups = np.empty(len(highest_tied), dtype=np.int64)
    opened = 0
    for entry in range(len(highest_tied)):
        if highest_tied[entry] >= 0:
            groups[entry] = groups[highest_tied[entry]]
        else:
            opened += 1
            groups[entry] = opened
    return groups
