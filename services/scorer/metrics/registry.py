"""Which metrics there are, by name. A name carries its version: once published, it never changes its numbers.

A *metric* makes the score that a board ranks by. A *suite* makes secondary columns, as a paper or a starting kit
defined them: shown beside the score, never ranked by. `services/core/catalogue/` says what each name means.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite

from services.scorer.metrics.evidence import Evidence
from services.scorer.metrics.score import Judge, Metric

__all__ = ["METRICS", "SUITES", "Suite", "metric", "suite"]

Values = Mapping[str, float | None]

METRICS: dict[str, Metric] = {}


@dataclass(frozen=True, slots=True)
class Suite:
    """A family of numbers that a paper reports together."""

    name: str
    columns: tuple[str, ...]
    compute: Callable[[Evidence], Values]
    applies: Callable[[Evidence], bool] = lambda _: True

    def __call__(self, evidence: Evidence) -> dict[str, float | None]:
        """Compute every column; None for one that this evidence has no data for, or no finite answer."""
        values = self.compute(evidence)
        return {column: _finite(values[column]) for column in self.columns}


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


SUITES: dict[str, Suite] = {}


def metric(name: str, *, clipped_utility: bool) -> Callable[[Judge], Metric]:
    """Register a pure function, confidences of both sides in and forgetting out, under a name that no other has."""

    def register(judge: Judge) -> Metric:
        if name in METRICS:
            raise ValueError(f"A metric named {name!r} exists already: give the new version a new name.")
        METRICS[name] = Metric(name, judge, clipped_utility)
        return METRICS[name]

    return register


def suite(
    name: str, *, columns: tuple[str, ...], applies: Callable[[Evidence], bool] = lambda _: True
) -> Callable[[Callable[[Evidence], Values]], Suite]:
    """Register a pure function from evidence to the values of these columns; some evidence it may not apply to."""

    def register(function: Callable[[Evidence], Values]) -> Suite:
        if name in SUITES:
            raise ValueError(f"A suite named {name!r} exists already: give the new version a new name.")
        SUITES[name] = Suite(name, columns, function, applies)
        return SUITES[name]

    return register
