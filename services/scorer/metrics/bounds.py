"""Sound lower bounds on epsilon: proofs from independent runs, not estimates.

The official epsilon is a maximum over some 100,000 noisy attacks: without any difference it is 1.6. Here one half of
the models chooses the attacks, and the other half, which had no part in the choice, tests them.

Half 1 (models 0, 2, 4, ...) picks for each example the set of confidences (an interval or the outside of one) that best
tells unlearned from retrained models, and then the examples about which to make a claim. Half 2 (1, 3, 5, ...) bounds
the two probabilities of each claimed set from one side by Clopper and Pearson (1934), at alpha / 2 each, where alpha is
5% over the number of claims (Bonferroni). An (epsilon, delta)-indistinguishable pair satisfies, for every set A and in
both directions, P(A) <= e^epsilon Q(A) + delta, so any violation refutes the epsilon. The set and its complement follow
from the same two one-sided bounds, so checking both costs nothing.
The bounds are sound only if all runs are independent draws: not for notebooks, which run all seeds themselves.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from services.scorer.metrics.chunks import ascending, in_chunks
from services.scorer.metrics.kernel import compiled

__all__ = ["ALPHA", "MAX_CLAIMS", "bound_table", "certified_bounds", "largest_certifiable"]

ALPHA = 0.05
DELTA = 1e-5
MAX_CLAIMS = 16  # with more claims, each proves less

Floats = NDArray[np.floating[Any]]
Table = NDArray[np.float64]  # [n + 1, m + 1], by the number of models of either side in the set


def certified_bounds(unlearned: Floats, oracle: Floats) -> tuple[NDArray[np.float64], int]:
    """Bound epsilon at delta 1e-5 from below, from confidences [N, S], [M, S]: bounds [S] and the number of claims.

    All bounds hold together with 95% confidence. An example without a claim from half 1 has the bound 0, which is
    always true. With fewer than two models on a side there are no claims.
    """
    examples = unlearned.shape[1]
    bounds = np.zeros(examples)
    if min(len(unlearned), len(oracle)) < 2:
        return bounds, 0
    claims = min(MAX_CLAIMS, examples)
    chosen: NDArray[np.float64] = np.empty((examples, 4))
    first = bound_table(len(unlearned[::2]), len(oracle[::2]), claims=claims)
    either = np.maximum(first, first[::-1, ::-1])

    def choose(part: slice) -> None:
        _choose(ascending(unlearned[::2], part), ascending(oracle[::2], part), first, either, chosen[part])

    in_chunks(choose, examples, models=len(unlearned) + len(oracle))
    second = bound_table(len(unlearned[1::2]), len(oracle[1::2]), claims=claims)
    for example in np.argsort(-chosen[:, 0], kind="stable")[:claims]:
        _, low, high, outside = chosen[example]
        mine, theirs = (_count(side[1::2, example], low, high, outside > 0) for side in (unlearned, oracle))
        bounds[example] = second[mine, theirs]
    return bounds, claims


def largest_certifiable(models: int, oracle: int, claims: int) -> float:
    """Return the bound that a perfect attack would prove with these numbers of models; no claim can exceed it."""
    if claims == 0:
        return 0.0
    return float(bound_table(models // 2, oracle // 2, claims=claims).max())


def _count(side: Floats, low: float, high: float, outside: bool) -> int:
    inside = int(((side > low) & (side <= high)).sum())
    return len(side) - inside if outside else inside


def bound_table(n: int, m: int, *, claims: int, delta: float = DELTA) -> Table:
    """Tabulate the bounds that k of n unlearned and j of m retrained models in a set prove, given `claims` claims."""
    level = ALPHA / claims / 2
    p_low, p_high = _clopper_pearson(n, level)
    q_low, q_high = _clopper_pearson(m, level)
    more_unlearned = _proven(p_low[:, None], q_high[None, :], delta)
    more_retrained = _proven(q_low[None, :], p_high[:, None], delta)
    return np.maximum(np.maximum(more_unlearned, more_retrained), 0.0)


def _proven(at_least: Table, at_most: Table, delta: float) -> Table:
    """Return the epsilon that P >= at_least and Q <= at_most refute: on the set, or on its complement."""
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.log(np.maximum(at_least - delta, 0.0)) - np.log(at_most)
        complement = np.log(np.maximum(1.0 - delta - at_most, 0.0)) - np.log(1.0 - at_least)
    return np.asarray(np.fmax(inside, complement), dtype=np.float64)  # log 0 - log 0 is no bound


def _clopper_pearson(n: int, level: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the one-sided lower and the one-sided upper bound of a probability for 0 .. n successes of n."""
    k = np.arange(n + 1)
    low, high = np.zeros(n + 1), np.ones(n + 1)
    low[1:] = betaincinv(k[1:], n - k[1:] + 1, level)
    high[:-1] = betaincinv(k[:-1] + 1, n - k[:-1], 1 - level)
    return low, high


@compiled
def _choose(unlearned: Floats, oracle: Floats, table: Table, either: Table, chosen: Floats) -> None:
    """Find the best set of each example by the bound that half 1 itself would prove: (bound, low, high, outside).

    Sides [S, n] and [S, m], ascending; `either` is what a set or its complement would prove. Sets are (low, high] with
    ends between neighbouring confidences or infinite.
    """
    examples, n = unlearned.shape
    m = oracle.shape[1]
    cuts = np.empty(n + m + 1)
    below = np.empty((n + m + 1, 2), np.int64)
    for s in range(examples):
        size = _cut(unlearned[s], oracle[s], cuts, below)
        best, low, high, outside = -1.0, -np.inf, np.inf, 0.0
        for i in range(size):
            for j in range(i + 1, size):
                k, q = below[j, 0] - below[i, 0], below[j, 1] - below[i, 1]
                if either[k, q] <= best:
                    continue
                if table[k, q] > best:
                    best, low, high, outside = table[k, q], cuts[i], cuts[j], 0.0
                if table[n - k, m - q] > best:
                    best, low, high, outside = table[n - k, m - q], cuts[i], cuts[j], 1.0
        chosen[s, 0], chosen[s, 1], chosen[s, 2], chosen[s, 3] = best, low, high, outside


@compiled
def _cut(unlearned: Floats, oracle: Floats, cuts: Floats, below: NDArray[np.int64]) -> int:
    """Write the places where a set may end, and the number of models of either side below each; return their number."""
    i, j, size = 0, 0, 1
    cuts[0], below[0, 0], below[0, 1] = -np.inf, 0, 0
    while i < unlearned.size or j < oracle.size:
        value = min(unlearned[i] if i < unlearned.size else np.inf, oracle[j] if j < oracle.size else np.inf)
        while i < unlearned.size and unlearned[i] == value:
            i += 1
        while j < oracle.size and oracle[j] == value:
            j += 1
        following = min(unlearned[i] if i < unlearned.size else np.inf, oracle[j] if j < oracle.size else np.inf)
        cuts[size] = value + (following - value) / 2 if following < np.inf else np.inf
        below[size, 0], below[size, 1] = i, j
        size += 1
    return size
