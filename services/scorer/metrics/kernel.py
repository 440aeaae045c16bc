"""The compiled part of the 2023 metric: the epsilon of one example from its sorted confidences.

The published code compares every confidence with each of about 161,000 thresholds. But the value of an attack depends
only on two counts, false positives and false negatives, and these change only where a threshold passes a confidence:

- one threshold: grid and sides are sorted, so one merge gives all counts;
- two thresholds: right thresholds with the same counts form a *run*, the confidences divide the line into *gaps*, and
  all left thresholds within a gap have the same counts. For each run and gap, a table gives the epsilon that such a
  pair of thresholds would have. Only if it exceeds the best so far, the code checks whether the grid contains such a
  pair, and then computes the few candidates as numpy does. So the answer is exact to the last bit of every threshold,
  wherever confidences lie. Because fewer errors of either kind are worth more, one comparison can dismiss a block of
  gaps.

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
def one_threshold(pos: Side, neg: Side, pos_logs: Logs, neg_logs: Logs) -> np.float32:
    """Return the largest epsilon of "positive where conf >= t", t on torch's float32 grid over both sides.

    torch rounds `start + i * step` once (fused multiply-add, on every CPU with AVX2), which float64 reproduces: a
    product of two float32 is exact there.
    """
    low, high = min(pos[0], neg[0]), max(pos[-1], neg[-1])
    count = int(np.ceil((high - low) * PER_UNIT))
    start, end = np.float32(low), np.float32(high)
    step = np.float64((end - start) / np.float32(max(count - 1, 1)))
    best = DISCARDED
    fn, tn, seen_fn, seen_tn = 0, 0, -1, -1
    for i in range(count):
        from_start = i < count // 2 or count == 1
        t = np.float64(np.float32(start + i * step if from_start else end - (count - 1 - i) * step))
        while fn > 0 and pos[fn - 1] >= t:  # where the halves of the grid meet, rounding may step back
            fn -= 1
        while tn > 0 and neg[tn - 1] >= t:
            tn -= 1
        while fn < pos.size and pos[fn] < t:
            fn += 1
        while tn < neg.size and neg[tn] < t:
            tn += 1
        if fn != seen_fn or tn != seen_tn:
            seen_fn, seen_tn = fn, tn
            best = max(best, attack(neg.size - tn, fn, neg_logs, pos_logs))
    return best


@compiled
def count_upto(side: Side, limits: Side) -> Counts:
    """Count, for each of the ascending limits, the values of the side that do not exceed it."""
    counts = np.empty(limits.size, np.int64)
    upto = 0
    for k in range(limits.size):
        while upto < side.size and side[upto] <= limits[k]:
            upto += 1
        counts[k] = upto
    return counts


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
def merge(pos: Side, neg: Side) -> tuple[Side, Counts, Counts]:
    """Merge both sides between -inf and inf, and count for each edge the values of each side up to it.

    Of equal edges only the last one has all counts; no left threshold lies in the empty gaps between them.
    """
    size = pos.size + neg.size + 2
    edges, pos_below, neg_below = np.full(size, -np.inf), np.zeros(size, np.int64), np.zeros(size, np.int64)
    i, j = 0, 0
    for k in range(1, size - 1):
        if j == neg.size or (i < pos.size and pos[i] <= neg[j]):
            edges[k] = pos[i]
            i += 1
        else:
            edges[k] = neg[j]
            j += 1
        pos_below[k], neg_below[k] = i, j
    edges[-1] = np.inf
    return edges, pos_below, neg_below


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
def two_thresholds(  # noqa: PLR0917 - compiled functions take no keywords
    pos: Side, neg: Side, pos_ends: tuple[float, float], pos_logs: Logs, neg_logs: Logs, best: np.float32
) -> np.float32:
    """Return `best` or the largest epsilon of "positive where l <= conf <= r"; `pos` has the smaller range."""
    width = pos_ends[1] - pos_ends[0]
    low, high = (pos_ends[0] + width) - BUFFER, pos_ends[1] + BUFFER
    count = int(np.ceil((high - low) * PER_UNIT))
    rights = np.arange(count).astype(np.float64) * ((high - low) / (count - 1)) + low
    rights[-1] = high
    pos_upto, neg_upto = count_upto(pos, rights), count_upto(neg, rights)
    edges, pos_below, neg_below = merge(pos, neg)
    start, first = 0, 0
    while first < count:
        last = first
        while last + 1 < count and pos_upto[last + 1] == pos_upto[first] and neg_upto[last + 1] == neg_upto[first]:
            last += 1
        leftmost, rightmost = left_threshold(rights[first], width, 0), left_threshold(rights[last], width, LEFTS - 1)
        while edges[start + 1] < leftmost:
            start += 1
        gap = start
        while edges[gap] < rightmost:
            fp, fn = neg_upto[first] - neg_below[gap], pos.size - pos_upto[first] + pos_below[gap]
            if fp > 0 and fn > 0:
                ahead = min(gap + BLOCK, edges.size - 1)
                fewest_fp = max(neg_upto[first] - neg_below[ahead - 1], 1)  # fn only grows from here
                if attack(fewest_fp, fn, neg_logs, pos_logs) <= best:
                    gap = ahead
                    continue
            epsilon = attack(fp, fn, neg_logs, pos_logs)
            if epsilon > best and some_left_in(edges[gap], edges[gap + 1], rights[first : last + 1], width):
                best = epsilon
            if fp <= 0:  # and fewer in every later gap, at no fewer false negatives
                break
            gap += 1
        first = last + 1
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
    if retrained_median > unlearned_median:
        best = one_threshold(retrained, unlearned, retrained_logs, unlearned_logs)
        unlearned_is_peakier = retrained_range >= unlearned_range
    else:
        best = one_threshold(unlearned, retrained, unlearned_logs, retrained_logs)
        unlearned_is_peakier = unlearned_range < retrained_range
    if best < CAP:
        if unlearned_is_peakier:
            best = two_thresholds(unlearned, retrained, unlearned_ends, unlearned_logs, retrained_logs, best)
        else:
            best = two_thresholds(retrained, unlearned, retrained_ends, retrained_logs, unlearned_logs, best)
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
