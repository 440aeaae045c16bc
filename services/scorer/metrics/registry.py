"""Which metrics there are, by name. A name carries its version: once published, it never changes its numbers."""

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["METRICS", "metric"]

METRICS: dict[str, Callable[..., Any]] = {}

Metric = TypeVar("Metric", bound=Callable[..., Any])


def metric(name: str) -> Callable[[Metric], Metric]:
    """Register a pure function, arrays in and a score card out, under a name that no other metric has."""

    def register(function: Metric) -> Metric:
        if name in METRICS:
            raise ValueError(f"A metric named {name!r} exists already: give the new version a new name.")
        METRICS[name] = function
        return function

    return register
