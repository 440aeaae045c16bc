"""Epsilon between fitted Gaussians: an estimate without the bias of a maximum, if both sides are Gaussian.

The likelihood-ratio view of Carlini et al. (2022): both sides of an example are taken as normal. Then the exact curve
delta(epsilon), the larger of both hockey-stick divergences, is known, and epsilon is the point where it crosses
delta 0.01.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import normaltest

__all__ = ["DELTA", "MAX_MISFITS", "fits_gaussian", "gaussian_epsilons", "normal_epsilons"]

DELTA = 0.01
HIGHEST = 50.0
STEPS = 60  # of bisection: 50 / 2^60 is negligible
FIT_LEVEL = 0.01
MAX_MISFITS = 0.2  # share of examples that may fail the test of normality before estimates are doubtful
MIN_FIT_MODELS = 20  # with fewer, the test of D'Agostino and Pearson means nothing

Floats = NDArray[np.floating[Any]]
Vector = NDArray[np.float64]


def gaussian_epsilons(unlearned: Floats, oracle: Floats) -> Vector:
    """Estimate epsilon at delta 0.01, in nats, 0 to 50, from confidences [N, S], [M, S] of two models or more: [S]."""
    ddof = 1 if min(len(unlearned), len(oracle)) > 1 else 0
    return normal_epsilons(unlearned.mean(0), unlearned.std(0, ddof=ddof), oracle.mean(0), oracle.std(0, ddof=ddof))


def normal_epsilons(mean_p: Vector, sd_p: Vector, mean_q: Vector, sd_q: Vector) -> Vector:
    """Compute epsilon at delta 0.01 between normal distributions, all parameters [S]."""
    floor = 1e-9 * (1.0 + np.abs(mean_p - mean_q))  # a constant side counts as separated, unless both agree
    sd_p, sd_q = np.maximum(sd_p, floor), np.maximum(sd_q, floor)
    one = _crossing((mean_p - mean_q) / sd_q, sd_p / sd_q)
    other = _crossing((mean_q - mean_p) / sd_p, sd_q / sd_p)
    return np.maximum(one, other)


def fits_gaussian(unlearned: Floats, oracle: Floats) -> NDArray[np.bool_]:
    """Tell per example whether both sides pass D'Agostino and Pearson's test of normality at 1%: [S].

    The test uses skewness and kurtosis, on which the tails, and so epsilon, depend. With fewer than 20 models it means
    nothing, and no example passes.
    """
    passes = np.ones(unlearned.shape[1], dtype=np.bool_)
    for side in (unlearned, oracle):
        varied = side.std(axis=0) > 1e-9 * (1.0 + np.abs(side).max(axis=0))
        passes &= varied
        if len(side) < MIN_FIT_MODELS:
            passes[:] = False
        elif varied.any():
            passes[varied] &= normaltest(side[:, varied], axis=0).pvalue >= FIT_LEVEL
    return passes


def _crossing(mean: Vector, sd: Vector) -> Vector:
    """Bisect for the epsilon at which H(N(mean, sd^2) || N(0, 1)) falls to delta."""
    low, high = np.zeros_like(mean), np.full_like(mean, HIGHEST)
    for _ in range(STEPS):
        middle = (low + high) / 2
        above = hockey_stick(middle, mean, sd) > DELTA
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(hockey_stick(np.zeros_like(mean), mean, sd) <= DELTA, 0.0, high)


def hockey_stick(epsilon: Vector, mean: Vector, sd: Vector) -> Vector:
    """Compute P(A) - e^epsilon Q(A), P = N(mean, sd^2), Q = N(0, 1), A where log p/q > epsilon.

    log p/q - epsilon = a x^2 + b x + c, so A lies outside or between the roots; with equal sd it is a half-line.
    """
    a = (1 - 1 / sd**2) / 2
    b = mean / sd**2
    c = -(mean**2) / (2 * sd**2) - np.log(sd) - epsilon
    with np.errstate(all="ignore"):
        root = np.sqrt(np.maximum(b * b - 4 * a * c, 0.0))
        half = -(b + np.where(b >= 0, root, -root)) / 2  # the larger of both numerators, so that no digits cancel
        one, other = half / a, np.where(half == 0, 0.0, c / half)
        left, right = np.minimum(one, other), np.maximum(one, other)
        edge = -c / b
    no_roots = b * b - 4 * a * c <= 0
    linear = np.abs(sd - 1) < 1e-7

    def probability(place: Any, spread: Any) -> Vector:
        with np.errstate(all="ignore"):
            between = ndtr((right - place) / spread) - ndtr((left - place) / spread)
            outer = ndtr((left - place) / spread) + ndtr((place - right) / spread)
            beyond = np.where(b > 0, ndtr((place - edge) / spread), ndtr((edge - place) / spread))
        curved = np.where(a > 0, np.where(no_roots, 1.0, outer), np.where(no_roots, 0.0, between))
        straight = np.where(b == 0, (c > 0).astype(np.float64), beyond)
        return np.where(linear, straight, curved)

    with np.errstate(over="ignore"):
        return np.asarray(probability(mean, sd) - np.exp(epsilon) * probability(0.0, 1.0), dtype=np.float64)
