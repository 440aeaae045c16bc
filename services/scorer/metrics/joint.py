"""The joint audit: can one test on the outputs of many examples at once tell unlearned from retrained models?

A marginal metric looks at one example at a time. It misses a mixture of two opposite biases, examples that vary
independently although retrained models move them together, and few models repeated often. This audit looks at the
vector of an evaluation's margins. It is a classifier two-sample test (Lopez-Paz and Oquab, arXiv 1610.06545) whose
result is a bound as in `bounds`: half of the models of each side choose a score and a threshold, the other half, which
had no part in the choice, are counted above it. That is one claim; with 95% confidence (Clopper and Pearson, 1934) no
true epsilon is below it. It is made only if the sides differ with 99.9% confidence, because a board audits thousands.

The score is chosen among four, by what each would prove on held-out folds of the first half: quadratic and linear
discriminants, the projection whose variances differ most, and the mean square. All but the last work in the space of
the difference of means and of the first principal components of either side, with shrunk covariances (Ledoit and Wolf,
2004), because there are more examples than models.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.covariance import ledoit_wolf

from services.scorer.metrics.bounds import bound_table

__all__ = ["JointAudit", "audit_jointly"]

FOLDS = 4
FEWEST = 16  # models per side: with fewer, no half proves anything
COMPONENTS = 20  # principal components of each side, at most
SURE = 50  # a claim needs 99.9% confidence that the sides differ at all; its size has 95%
RIDGE = 1e-6  # added to covariances of standardised projections
SD_FLOOR = 1e-6
SEED = 2023  # public and fixed, so that a score can be recomputed

Floats = NDArray[np.floating[Any]]
Array = NDArray[np.float64]
Score = Callable[[Array], Array]  # margins [n, S] -> [n]


@dataclass(frozen=True, slots=True)
class JointAudit:
    """A proven lower bound on epsilon, in nats, with the largest that a perfect attack would prove."""

    bound: float
    largest: float


def audit_jointly(unlearned: Floats, oracle: Floats) -> JointAudit:
    """Bound epsilon from below by the joint distribution of margins [N, S] and [M, S]; 95%, one claim.

    Sound if the models of either side are independent draws. With fewer than 16 models on a side, nothing is proven.
    """
    if min(len(unlearned), len(oracle)) < FEWEST:
        return JointAudit(0.0, 0.0)
    mine, theirs = (np.asarray(side, np.float64)[_shuffled(len(side))] for side in (unlearned, oracle))
    middle, spread = theirs[::2].mean(axis=0), np.maximum(theirs[::2].std(axis=0, ddof=1), SD_FLOOR)
    mine, theirs = ((side - middle) / spread for side in (mine, theirs))
    first, second = (mine[::2], theirs[::2]), (mine[1::2], theirs[1::2])
    name, threshold = _choose(*first)
    score = _scores(*first)[name]
    above = [int((score(side) > threshold).sum()) for side in second]
    table, sure = (bound_table(len(second[0]), len(second[1]), claims=claims) for claims in (1, SURE))
    differ = sure[above[0], above[1]] > 0
    return JointAudit(float(table[above[0], above[1]]) if differ else 0.0, float(table.max()))


def _shuffled(models: int) -> NDArray[np.int64]:
    """Order models at random, always in the same way: a repetition must not fall into one half alone."""
    return np.random.default_rng([SEED, models]).permutation(models)


def _choose(mine: Array, theirs: Array) -> tuple[str, float]:
    """Find the score and the threshold on it that would prove the most on held-out folds."""
    held: dict[str, tuple[Array, Array]] = {}
    folds = [np.arange(len(side)) % FOLDS for side in (mine, theirs)]
    for fold in range(FOLDS):
        inside = [side[part != fold] for side, part in zip((mine, theirs), folds, strict=True)]
        for name, score in _scores(*inside).items():
            values = held.setdefault(name, (np.empty(len(mine)), np.empty(len(theirs))))
            for into, side, part in zip(values, (mine, theirs), folds, strict=True):
                into[part == fold] = score(side[part == fold])
    table = bound_table(len(mine), len(theirs), claims=1)
    best = {name: _threshold(*values, table) for name, values in held.items()}
    chosen = max(best, key=lambda name: best[name][0])
    return chosen, best[chosen][1]


def _threshold(mine: Array, theirs: Array, table: Array) -> tuple[float, float]:
    """Find the largest bound [N + 1, M + 1] between two neighbouring scores [N], [M], and the threshold there."""
    values = np.unique(np.concatenate([mine, theirs]))
    cuts = (values[1:] + values[:-1]) / 2 if len(values) > 1 else values
    above = [len(side) - np.searchsorted(np.sort(side), cuts, side="right") for side in (mine, theirs)]
    proven = table[above[0], above[1]]
    best = int(np.argmax(proven))
    return float(proven[best]), float(cuts[best])


def _scores(mine: Array, theirs: Array) -> dict[str, Score]:
    """Fit every score to standardised margins [n, S] and [m, S]."""
    basis = _basis(mine, theirs)
    means, covariances = zip(*(_moments(side @ basis) for side in (mine, theirs)), strict=True)
    pooled = (covariances[0] + covariances[1]) / 2
    linear = basis @ np.linalg.solve(pooled, means[0] - means[1])
    _, vectors = eigh(*covariances)  # ascending in the ratio of variances
    ratios = np.einsum("ij,ik,kj->j", vectors, covariances[0], vectors)
    widest = basis @ vectors[:, int(np.argmax(np.abs(np.log(ratios))))]
    centre = float((means[0] + means[1]) @ basis.T @ widest) / 2
    factors = [np.linalg.cholesky(covariance) for covariance in covariances]

    def quadratic(side: Array) -> Array:
        """Give the log density under the first Gaussian minus that under the second."""
        logs = [
            np.square(np.linalg.solve(factor, (side @ basis - mean).T)).sum(axis=0) + 2 * np.log(np.diag(factor)).sum()
            for factor, mean in zip(factors, means, strict=True)
        ]
        return np.asarray(logs[1] - logs[0])

    return {
        "quadratic": quadratic,
        "linear": lambda side: np.asarray(side @ linear),
        "variance": lambda side: np.asarray(np.abs(side @ widest - centre)),
        "size": lambda side: np.asarray(np.log(np.square(side).mean(axis=1) + SD_FLOOR)),
    }


def _basis(mine: Array, theirs: Array) -> Array:
    """Span the difference of means and the first components of either side: orthonormal columns [S, k]."""
    count = min(COMPONENTS, min(len(mine), len(theirs)) // 4, mine.shape[1])
    directions = [(mine.mean(axis=0) - theirs.mean(axis=0))[:, None]]
    directions += [_components(side - side.mean(axis=0), count) for side in (mine, theirs)]
    spanned, triangle = np.linalg.qr(np.concatenate(directions, axis=1))
    sizes = np.abs(np.diag(triangle))
    basis: Array = spanned[:, sizes > 1e-9 * max(float(sizes.max()), 1e-300)]
    return basis if basis.shape[1] else np.eye(mine.shape[1], 1)


def _components(centred: Array, count: int) -> Array:
    """Find the first principal components, as columns [S, count], in the smaller of the two spaces."""
    models, examples = centred.shape
    wide = examples > models
    square = centred @ centred.T if wide else centred.T @ centred
    last = len(square) - 1
    _, vectors = eigh(square, subset_by_index=[last + 1 - count, last])
    return np.asarray(centred.T @ vectors if wide else vectors)


def _moments(projected: Array) -> tuple[Array, Array]:
    """Compute the mean [k] and the shrunk covariance [k, k] of projections [n, k]."""
    mean = projected.mean(axis=0)
    centred = projected - mean
    if not centred.any():
        return mean, RIDGE * np.eye(projected.shape[1])
    covariance, _ = ledoit_wolf(centred, assume_centered=True)
    return mean, np.asarray(covariance) + RIDGE * np.eye(projected.shape[1])
