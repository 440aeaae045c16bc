"""The compiled part of the 2023 metric: the epsilon of one example from its sorted confidences.

The published code compares every confidence with each of about 161,000 thresholds. But the value of an attack depends
only on two counts, false positives and false negatives, and these change only where a threshold passes a confidence:

- one threshold: the confidences divide the line into *gaps*, and all thresholds within a gap have the same counts;
- two thresholds: all right thresholds within a gap have the same counts, and so have all left ones.

For each gap, or pair of gaps, a table gives the epsilon that thresholds there would have. Only if it exceeds the best
so far, the code checks whether the grid contains such thresholds, and then computes the few candidates as torch and
numpy do. So the answer is exact to the last bit of every threshold, wherever confidences lie. Because fewer errors of
either kind are worth more, one comparison can dismiss a block of gaps.

`logs` of a side of n models: float32 [2, n + 1], row 0 log(1 - delta - k/n), row 1 log(k/n), for k errors.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["CAP", "compiled", "fill_epsilons"]

Function = TypeVar("Function", bound=Callable[..., Any])
Side = NDArray[np.float64]  # one example's confidences, ascending
Logs = NDArray[np.float32]
Counts = NDArray[np.int64]

CAP = np.float32(50.0)
DISCARDED = np.float32(-np.inf)
PEAKY = 0.01  # a side with a range below this share of the other side's counts as fully recognised
PER_UNIT = 100  # thresholds per unit of confidence
BUFFER = 2.0
LEFTS = 400  # left thresholds per right one
BLOCK = 16  # gaps that one bound may dismiss
ROUNDING = 4e-7  # of a float32 grid's step and thresholds, relative, with a margin


def compiled(function: Function) -> Function:
    """Compile on the first call, cache the machine code on disk, and release the interpreter's lock."""
    return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


@compiled
def attack(fp: int, fn: int, neg_logs: Logs, pos_logs: Logs) -> np.float32:
    """Return one attack's epsilon from its error counts, or DISCARDED if the published code drops it."""
    if fp <= 0 or fn <= 0:
        return CAP if fp == 0 and fn == 0 else DISCARDED
    return max(neg_logs[0, fp] - pos_logs[1, fn], pos_logs[0, fn] - neg_logs[1, fp])


@compiled
def merge(one: Side, other: Side) -> tuple[Side, Counts, Counts]:
    """Merge both sides between -inf and inf, and count for each edge the values of each side up to it.

    Of equal edges only the last one has all counts; no threshold lies in the empty gaps between them.
    """
    size = one.size + other.size + 2
    edges, one_below, other_below = np.empty(size), np.empty(size, np.int64), np.empty(size, np.int64)
    edges[0], one_below[0], other_below[0] = -np.inf, 0, 0
    i, j = 0, 0
    for k in range(1, size - 1):
        a = one[i] if i < one.size else np.inf
        b = other[j] if j < other.size else np.inf
        edges[k] = min(a, b)
        i += a <= b
        j += a > b
        one_below[k], other_below[k] = i, j
    edges[-1], one_below[-1], other_below[-1] = np.inf, i, j
    return edges, one_below, other_below


@compiled
def some_threshold_in(  # noqa: PLR0917 - compiled functions take no keywords
    after: float, upto: float, start: np.float32, end: np.float32, step: float, count: int
) -> bool:
    """Tell whether torch's float32 grid has a threshold t with after < t <= upto.

    torch rounds `start + i * step` once (fused multiply-add, on every CPU with AVX2), which float64 reproduces: a
    product of two float32 is exact there. The second half of the grid is counted from its end.
    """
    first, last = 0, count
    if step > 0:  # else the grid has few thresholds, because float32 cannot tell its ends apart
        slack = 2 + int((abs(start) + abs(end)) * ROUNDING / step)
        first = max(int((after - start) / step) - slack, 0)
        last = min(int((upto - start) / step) + slack + 1, count)
    for i in range(first, last):
        from_start = i < count // 2 or count == 1
        if after < np.float64(np.float32(start + i * step if from_start else end - (count - 1 - i) * step)) <= upto:
            return True
    return False


@compiled
def one_threshold(edges: Side, pos_below: Counts, neg_below: Counts, pos_logs: Logs, neg_logs: Logs) -> np.float32:
    """Return the largest epsilon of "positive where conf >= t", t on torch's float32 grid over both sides.

    All thresholds of a gap between two edges have the same counts.
    """
    low, high = edges[1], edges[-2]
    count = int(np.ceil((high - low) * PER_UNIT))
    start, end = np.float32(low), np.float32(high)
    step = np.float64((end - start) / np.float32(max(count - 1, 1)))
    best = DISCARDED
    for gap in range(1, edges.size - 2):
        epsilon = attack(neg_below[-1] - neg_below[gap], pos_below[gap], neg_logs, pos_logs)
        if epsilon > best and some_threshold_in(edges[gap], edges[gap + 1], start, end, step, count):
            best = epsilon
    return best


@compiled
def left_threshold(right: float, width: float, i: int) -> float:
    """Return element i of numpy.linspace((right - width) - 2, (right - width) + 2, 400), rounded as numpy rounds."""
    start, stop = (right - width) - BUFFER, (right - width) + BUFFER
    return stop if i == LEFTS - 1 else i * ((stop - start) / (LEFTS - 1)) + start


@compiled
def some_left_in(after: float, upto: float, rights: Side, width: float) -> bool:
    """Tell whether any of these right thresholds has a left threshold l with after < l <= upto."""
    for right in rights:
        steps = (after - left_threshold(right, width, 0)) * ((LEFTS - 1) / (2 * BUFFER))
        first = int(min(max(steps, 0.0), LEFTS - 1.0))  # off by one at most: rounding is far smaller than a step
        for i in range(first, min(first + 3, LEFTS)):
            if after < left_threshold(right, width, i) <= upto:
                return True
    return False


@compiled
def ends(side: Side, trim: float) -> tuple[float, float]:
    """Return the quantiles `trim` and 1 - `trim` of a side: with 0 its minimum and maximum, to the last bit."""
    place = trim * (side.size - 1)
    below = int(place)
    share = place - below
    above = min(below + 1, side.size - 1)
    low = side[below] + share * (side[above] - side[below])
    high = side[side.size - 1 - below] + share * (side[side.size - 1 - above] - side[side.size - 1 - below])
    return low, high


@compiled
def count_below(rights: Side, first: int, limit: float, step: float) -> int:
    """Count the ascending right thresholds, `step` apart, below a limit; at least the first ones are."""
    if limit > rights[-1]:
        return rights.size
    count = max(int((limit - rights[0]) / step), first)
    while count > first and rights[count - 1] >= limit:
        count -= 1
    while rights[count] < limit:
        count += 1
    return count


@compiled
def two_thresholds(  # noqa: PLR0917 - compiled functions take no keywords
    edges: Side,
    pos_below: Counts,
    neg_below: Counts,
    pos_ends: tuple[float, float],
    pos_logs: Logs,
    neg_logs: Logs,
    best: np.float32,
) -> np.float32:
    """Return `best` or the largest epsilon of "positive where l <= conf <= r"; `pos` has the smaller range."""
    width = pos_ends[1] - pos_ends[0]
    low, high = (pos_ends[0] + width) - BUFFER, pos_ends[1] + BUFFER
    count = int(np.ceil((high - low) * PER_UNIT))
    step = (high - low) / (count - 1)
    rights = np.arange(count).astype(np.float64) * step + low
    rights[-1] = high
    start, first = 0, 0
    for upto in range(edges.size - 1):
        stop = count_below(rights, first, edges[upto + 1], step)
        if stop == first:
            continue  # no right threshold lies in this gap
        leftmost, rightmost = (
            left_threshold(rights[first], width, 0),
            left_threshold(rights[stop - 1], width, LEFTS - 1),
        )
        while edges[start + 1] < leftmost:
            start += 1
        gap = start
        while edges[gap] < rightmost:
            fp, fn = neg_below[upto] - neg_below[gap], pos_below[-1] - pos_below[upto] + pos_below[gap]
            if fp > 0 and fn > 0:
                ahead = min(gap + BLOCK, edges.size - 1)
                fewest_fp = max(neg_below[upto] - neg_below[ahead - 1], 1)  # fn only grows from here
                if attack(fewest_fp, fn, neg_logs, pos_logs) <= best:
                    gap = ahead
                    continue
            epsilon = attack(fp, fn, neg_logs, pos_logs)
            if epsilon > best and some_left_in(edges[gap], edges[gap + 1], rights[first:stop], width):
                best = epsilon
            if fp <= 0:  # and fewer in every later gap, at no fewer false negatives
                break
            gap += 1
        first = stop
        if first == count:
            break
    return best


@compiled
def example_epsilon(
    unlearned: Side, retrained: Side, unlearned_logs: Logs, retrained_logs: Logs, trim: float
) -> np.float32:
    """Return the epsilon of one example, 0 to 50."""
    unlearned_ends, retrained_ends = ends(unlearned, trim), ends(retrained, trim)
    unlearned_range, retrained_range = unlearned_ends[1] - unlearned_ends[0], retrained_ends[1] - retrained_ends[0]
    if min(unlearned_range, retrained_range) / max(unlearned_range, retrained_range) < PEAKY:  # 0/0 is not
        return CAP
    n, m = unlearned.size, retrained.size
    unlearned_median = (unlearned[(n - 1) // 2] + unlearned[n // 2]) / 2
    retrained_median = (retrained[(m - 1) // 2] + retrained[m // 2]) / 2
    edges, mine, theirs = merge(unlearned, retrained)
    if retrained_median > unlearned_median:
        best = one_threshold(edges, theirs, mine, retrained_logs, unlearned_logs)
        unlearned_is_peakier = retrained_range >= unlearned_range
    else:
        best = one_threshold(edges, mine, theirs, unlearned_logs, retrained_logs)
        unlearned_is_peakier = unlearned_range < retrained_range
    if best < CAP:
        if unlearned_is_peakier:
            best = two_thresholds(edges, mine, theirs, unlearned_ends, unlearned_logs, retrained_logs, best)
        else:
            best = two_thresholds(edges, theirs, mine, retrained_ends, retrained_logs, unlearned_logs, best)
    if best == DISCARDED:  # our answer where the published code has none
        same_ends = unlearned[0] == retrained[0] and unlearned[-1] == retrained[-1]
        return np.float32(0.0) if same_ends and unlearned_median == retrained_median else CAP
    return min(max(best, np.float32(0.0)), CAP)


@compiled
def fill_epsilons(  # noqa: PLR0917
    unlearned: NDArray[np.float64],
    retrained: NDArray[np.float64],
    unlearned_logs: Logs,
    retrained_logs: Logs,
    trim: float,
    result: Logs,
) -> None:
    """Write the epsilon of every example: sides [S, N] and [S, M], ascending along axis 1; result float32 [S].

    `trim` is 0 for the published ranges, from minimum to maximum; else ranges run between the quantiles trim, 1 - trim.
    """
    for s in range(result.size):
        result[s] = example_epsilon(unlearned[s], retrained[s], unlearned_logs, retrained_logs, trim)
