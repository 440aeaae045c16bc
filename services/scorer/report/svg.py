"""From painted matplotlib axes to SVG for use inside a page: no prolog, unique ids, the page's colours."""

import io
import re
from collections.abc import Callable

import matplotlib
from markupsafe import escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["ACCENT", "GRID", "INK", "MUTED", "ORACLE", "UNLEARNED", "draw"]

# Stand-ins that no other colour equals. The page replaces each by a variable with a light and a dark colour.
INK, MUTED, GRID = "#0a0a01", "#0a0a02", "#0a0a03"
UNLEARNED, ORACLE, ACCENT = "#0a0a04", "#0a0a05", "#0a0a06"
VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    UNLEARNED: "var(--unlearned)",
    ORACLE: "var(--oracle)",
    ACCENT: "var(--accent)",
}
UNITS_PER_INCH = 72  # of matplotlib's SVG, whatever the figure's dpi
STYLE = {
    **{key: value for key, value in matplotlib.rcParamsDefault.items() if not key.startswith("backend")},
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "font.size": 11,
    "legend.frameon": False,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
}


def draw(name: str, title: str, paint: Callable[[Axes], None], *, width: int = 380, height: int = 260) -> str:
    """Paint axes and return them as an `<svg>` element: the same bytes for the same input.

    The name is unique in its page, made of letters, digits and hyphens, and starts every id. The title is what a
    screen reader says. Width and height, in pixels, are a shape and a text size of 11: the page scales them.
    """
    drawing = io.StringIO()
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(width / UNITS_PER_INCH, height / UNITS_PER_INCH), layout="constrained")
        paint(figure.add_subplot())
        figure.savefig(drawing, format="svg", metadata={"Date": None})
    return _inline(drawing.getvalue(), name, title)


def _inline(document: str, name: str, title: str) -> str:
    _, _, text = document.partition("<svg ")
    opening, _, body = text.partition(">")
    view = re.search(r'viewBox="[^"]*"', opening)
    assert view
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", body)  # the family is the page's
    body = re.sub(r"\s*\n\s*", "\n", body)
    for prefix in (' id="', 'href="#', "url(#"):
        body = body.replace(prefix, f"{prefix}{name}-")
    for color, variable in VARIABLES.items():
        body = body.replace(color, variable)
    label = f'<title id="{name}-title">{escape(title)}</title>'
    space = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {space} {view[0]} role="img" aria-labelledby="{name}-title">{label}{body.strip()}'
