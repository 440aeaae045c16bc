"""Shares of draws, with exact intervals."""

from scipy.stats import binomtest

from services.core.models.reliability import Share

__all__ = ["share"]


def share(found: int, draws: int) -> Share:
    """Estimate a probability from `found` of `draws`, at least one, with its 95% interval (Clopper, Pearson 1934)."""
    interval = binomtest(found, draws).proportion_ci(0.95, method="exact")
    return Share(value=found / draws, low=float(interval.low), high=float(interval.high))
