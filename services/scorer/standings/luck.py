"""The best of several draws: what a team gains by trying often, although all its entries are equally good."""

from functools import lru_cache

import numpy as np
from scipy.special import log_ndtr

__all__ = ["best_of", "error_of"]

REACH, POINTS = 9.0, 4001  # of the integral, in standard deviations


def error_of(gaps: bytes) -> float:
    """Return the standard error of a final score from the stored gaps of its halves, as `error_of_halves` does."""
    values = np.frombuffer(gaps)
    return float(np.sqrt(np.mean(values**2) / 2)) if len(values) else 0.0


@lru_cache(maxsize=4096)
def best_of(draws: int) -> float:
    """Compute the expectation of the largest of so many standard normal draws (Tippett, 1925)."""
    if draws < 2:
        return 0.0
    x = np.linspace(-REACH, REACH, POINTS)
    density = draws * np.exp((draws - 1) * log_ndtr(x) - x**2 / 2) / np.sqrt(2 * np.pi)
    return float(np.trapezoid(x * density, x))
