"""The figure of a family: a panel for each sweep, forgetting and utility over the constant."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from services.scorer.metrics import Estimate
from services.scorer.report.svg import MUTED, ORACLE, UNLEARNED
from studies.certified_figures.picture import picture
from studies.method_sweeps.points import Point
from studies.method_sweeps.sweeps import Sweep

__all__ = ["draw_family"]

Vector = NDArray[np.float64]
Measured = tuple[Sweep, Sequence[Point]]

COLUMNS, ROW_HEIGHT = 2, 190  # height in pixels
MARKS: dict[str, Any] = {"capsize": 2, "elinewidth": 1, "markersize": 5, "clip_on": False}
QUALITY: dict[str, Any] = {**MARKS, "fmt": "o-", "color": UNLEARNED, "label": "forgetting, F / ceiling"}
UTILITY: dict[str, Any] = {**MARKS, "fmt": "D-", "color": ORACLE, "markerfacecolor": "none", "label": "utility"}
TICKS, TOP = (0, 0.01, 0.1, 0.5, 1), 1.25  # of the axis, a root scale: small and large values side by side


def draw_family(name: str, measured: Sequence[Measured]) -> str:
    """Draw a family's sweeps as one picture."""
    rows = -(-len(measured) // COLUMNS)

    def paint(axes: Axes) -> None:
        for (sweep, points), panel in zip(measured, _panels(axes, rows, len(measured)), strict=True):
            _paint_sweep(panel, sweep, points)
        figure = axes.get_figure(root=True)
        assert figure is not None
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=4)

    return picture(f"method-{name}", _title(name, measured), paint, height=rows * ROW_HEIGHT + 30)


def _panels(axes: Axes, rows: int, count: int) -> list[Axes]:
    figure = axes.get_figure(root=True)
    assert figure is not None
    grid = figure.add_gridspec(rows, COLUMNS)
    axes.set_subplotspec(grid[0])
    return [axes, *(figure.add_subplot(grid[number]) for number in range(1, count))]


def _paint_sweep(axes: Axes, sweep: Sweep, points: Sequence[Point]) -> None:
    axes.axhline(1, color=MUTED, linewidth=1, linestyle=":", label="retraining")
    if sweep.default in sweep.values:
        axes.axvline(sweep.default, color=MUTED, linewidth=1, linestyle="--", label="default", zorder=0)
    for style, side in ((UTILITY, "utility"), (QUALITY, "quality")):
        found = [(point.value, getattr(point, side)) for point in points if point.failure is None]
        values, estimates = [value for value, _ in found], [estimate for _, estimate in found]
        heights = [min(estimate.value, TOP) for estimate in estimates]
        axes.errorbar(values, heights, yerr=_reach(estimates), **style)
    for point in points:
        if point.failure is not None:
            axes.plot([point.value], [0], marker="x", color=MUTED, linestyle="none", clip_on=False)
    if not sweep.linear:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(sweep.values, [f"{value:g}" for value in sweep.values])
    axes.set_yscale("function", functions=(_root, np.square))
    axes.set_yticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axes.set(ylim=(0, TOP), xlabel="\n".join([f"{sweep.constant}, {sweep.meaning}", *sweep.changes]))
    axes.set_title(sweep.file, fontsize=11, loc="left")


def _root(values: Vector) -> Vector:
    return np.sqrt(np.maximum(values, 0.0))


def _reach(estimates: Sequence[Estimate]) -> list[list[float]]:
    low = [max(0.0, min(one.value, TOP) - one.low) for one in estimates]
    return [low, [max(0.0, min(one.high, TOP) - min(one.value, TOP)) for one in estimates]]


def _title(name: str, measured: Sequence[Measured]) -> str:
    """Describe the figure to readers who cannot see it: the best point of each sweep."""
    best = []
    for sweep, points in measured:
        scored = [(p.quality.value * p.utility.value, p) for p in points if p.quality and p.utility]
        if scored:
            point = max(scored, key=lambda pair: pair[0])[1]
            assert point.quality
            assert point.utility
            best.append(
                f"{sweep.title} does best at {sweep.constant} {point.value:g}, with F at {point.quality.value:.2f} of "
                f"the ceiling and utility {point.utility.value:.2f}"
            )
    return f"Forgetting and utility of {name} on digits: {'; '.join(best)}."
