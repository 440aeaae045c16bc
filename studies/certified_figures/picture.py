"""From the report's plots to a file of its own, with the colours of its light page, and tables beside it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from services.scorer.report.svg import draw

__all__ = ["Drawn", "beside", "picture", "plain_ticks", "table"]

WIDTH = 640  # at 700 px, text of 11 is 12 px high
COLOURS = {
    "--ink": "#1b1f24",
    "--muted": "#59626d",
    "--line": "#d5dae0",
    "--unlearned": "#1d5fb0",
    "--oracle": "#a84b00",
    "--accent": "#57793a",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure: its picture, and its numbers as Markdown."""

    svg: str
    tables: tuple[str, ...]


def picture(name: str, title: str, paint: Callable[[Axes], None], *, height: int) -> str:
    """Draw an SVG document on white that needs no page around it."""
    drawn = draw(name, title, paint, width=WIDTH, height=height)
    for variable, colour in COLOURS.items():
        drawn = drawn.replace(f"var({variable})", colour)
    sized = f'<svg width="{WIDTH}" height="{height}" font-family="system-ui, sans-serif" style="background: #fff" '
    return drawn.replace("<svg ", sized, 1).replace(
        "</title>", '</title><rect width="100%" height="100%" fill="#fff"/>', 1
    )


def beside(axes: Axes, panels: int, *, share: bool = False) -> list[Axes]:
    """Put more axes to the right of these, all of one width; `share` the scale of the first one's y."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    grid = figure.add_gridspec(1, panels)
    axes.set_subplotspec(grid[0])
    return [axes, *(figure.add_subplot(grid[number], sharey=axes if share else None) for number in range(1, panels))]


def plain_ticks(axes: Axes, which: str, values: Sequence[float]) -> None:
    """Put ticks of a logarithmic axis at these values, written out, less those that lie too near to one before."""
    near = math.log(values[-1] / values[0]) / 8
    kept = [values[0]]
    for value in values[1:]:
        if math.log(value / kept[-1]) >= near:
            kept.append(value)
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_ticks(kept, labels=[f"{value:g}" if value < 1000 else f"{value:,.0f}" for value in kept])
    axis.set_ticks([], minor=True)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Write a Markdown table; numbers that are not text already are written with thousands separated."""
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
