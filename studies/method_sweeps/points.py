"""Running the points of a sweep in the sandbox, and scoring them without suites, because suites take seconds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from services.core.bundle.directory import Bundle
from services.scorer.metrics import METRICS, Estimate, Evidence, confidences
from services.scorer.scoring import gather
from studies.baselines.scenarios import Store
from studies.certified_figures.picture import table
from studies.method_sweeps.constants import Number
from studies.method_sweeps.sweeps import Sweep

__all__ = ["METRIC", "Point", "displacement", "run_sweep", "table_of"]

METRIC = "lethe-1"  # whose F is relative to the ceiling
QUARTILES = (0.25, 0.5, 0.75)
NORMAL_WIDTH = 1.349  # between a normal distribution's quartiles, in standard deviations


@dataclass(frozen=True, slots=True)
class Point:
    """The result of one value: an entry's score, or the reason why there is none."""

    value: Number
    quality: Estimate | None = None
    utility: Estimate | None = None
    shift: float | None = None  # of confidences either way, in the oracle's standard deviations
    spread: float | None = None  # of confidences, over the oracle's
    run_s: float | None = None
    failure: str | None = None


def run_sweep(store: Store, bundle: Bundle, sweep: Sweep, runs: int, done: Callable[[], None]) -> list[Point]:
    """Measure every point of a sweep; read the points that were measured before."""
    points = []
    for value in sweep.values:
        ran = store.run(bundle, sweep.entry(value), runs)
        if ran.measurements is None:
            points.append(Point(value, failure=ran.failure))
        else:
            evidence = gather(ran.measurements, bundle)
            card = METRICS[METRIC](evidence)
            points.append(Point(value, card.forgetting_quality, card.utility, *displacement(evidence), ran.run_s))
        done()
    return points


def displacement(evidence: Evidence) -> tuple[float, float]:
    """Say how far the median confidence lies from the oracle's, either way, and how much models differ beside its.

    Both in standard deviations of the oracle's models, robustly; the median over forget examples of each.
    """
    mine, theirs = (
        np.quantile(confidences(side.forget_logits, evidence.forget_labels), QUARTILES, axis=0)  # [3, S]
        for side in (evidence.unlearned, evidence.oracle)
    )
    deviation = (theirs[2] - theirs[0]) / NORMAL_WIDTH
    return (
        float(np.median(np.abs(mine[1] - theirs[1]) / deviation)),
        float(np.median((mine[2] - mine[0]) / NORMAL_WIDTH / deviation)),
    )


def table_of(sweep: Sweep, points: Sequence[Point]) -> str:
    """Write a sweep's points as Markdown; the file's own value is marked."""
    head = (f"{sweep.title}: {sweep.constant}", "F / ceiling", "95% interval", "utility", "shift", "spread", "s a run")
    return table(head, [(_name(sweep, point.value), *_cells(point)) for point in points])


def _name(sweep: Sweep, value: Number) -> str:
    return f"{value:g} (default)" if value == sweep.default else f"{value:g}"


def _cells(point: Point) -> tuple[str, ...]:
    if point.quality is None or point.utility is None:
        return f"failed: {point.failure}", *["–"] * 5
    interval = f"{point.quality.low:.3f} to {point.quality.high:.3f}"
    rest = f"{point.shift:.1f}", f"{point.spread:.2f}", f"{point.run_s:.2f}"
    return f"{point.quality.value:.3f}", interval, f"{point.utility.value:.3f}", *rest
