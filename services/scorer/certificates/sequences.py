"""Sequences of requests: the least epsilon over orders, equation 5 of `docs/certificates.md`, on a grid of them."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.scorer.certificates.problem import Certificate, ConvexProblem, best_order, exp_or_infinity, log1p_exp

__all__ = ["certify_last", "log_divergence"]

GRID = 512  # orders of the first look; each further one puts ZOOM of them between the best's neighbours
ZOOM = 32


def certify_last(problem: ConvexProblem, slopes: Sequence[float], waits: Sequence[float]) -> Certificate:
    """Give the least epsilon after the last request, with the order that it comes from."""
    if len(slopes) == 1:
        return best_order(slopes[0], waits[0], problem.log_inverse_delta)
    log_l = math.log(problem.log_inverse_delta)

    def log_epsilon(u: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.logaddexp(_log_divergence(u, slopes, waits), log_l - u)

    # A value that is reached bounds the orders worth a look: below, ln(1/delta) / (alpha - 1) alone is above it; above
    # alpha >= B_s, the last request alone gives 2 A_s alpha / e.
    log_wait = math.log(waits[-1]) if waits[-1] else 0.0
    reached = float(log_epsilon(np.linspace(-30.0, max(log_wait, 0.0) + 50, GRID)).min())
    low, high = log_l - reached, max(log_wait, 1 + reached - math.log(2) - slopes[-1])
    grid = np.linspace(low, max(low, high), GRID)
    values = log_epsilon(grid)
    best, u = float(values.min()), float(grid[values.argmin()])
    width = float(grid[1] - grid[0])
    while width > 1e-9:  # near a minimum the value is out by the square of this
        grid = np.linspace(u - width, u + width, ZOOM)
        values = log_epsilon(grid)
        if values.min() < best:
            best, u = float(values.min()), float(grid[values.argmin()])
        width *= 4 / (ZOOM - 1)
    return Certificate(exp_or_infinity(best), exp_or_infinity(log1p_exp(u)))


def log_divergence(u: float, slopes: Sequence[float], waits: Sequence[float]) -> float:
    """Compute ln epsilon_s(alpha) at one order, alpha = 1 + e^u."""
    return float(_log_divergence(np.array([u]), slopes, waits)[0])


def _log_divergence(u: NDArray[np.float64], slopes: Sequence[float], waits: Sequence[float]) -> NDArray[np.float64]:
    """Compute ln epsilon_s(alpha) of equation 5, alpha = 1 + e^u: [orders]. Request s - 1 has twice the order of s."""
    last = len(slopes) - 1
    log_alpha = np.logaddexp(0.0, u) + last * math.log(2)
    value = slopes[0] + log_alpha - waits[0] * np.exp(-log_alpha)
    for s in range(1, last + 1):
        log_alpha = log_alpha - math.log(2)
        # (alpha - 1/2) / (alpha - 1) = 1 + 1 / (2 (alpha - 1)), without the cancellation of alpha - 1 near 1
        log_excess = u if s == last else log_alpha + np.log1p(-np.exp(-log_alpha))
        triangle = np.logaddexp(0.0, -math.log(2) - log_excess)
        both = np.logaddexp(slopes[s] + math.log(2) + log_alpha, value)
        value = triangle + both - waits[s] * np.exp(-log_alpha)
    return value
