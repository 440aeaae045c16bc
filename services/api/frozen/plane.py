"""The plane of forgetting quality and utility as an inline picture: a dot for each entry, with its 95% intervals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Dot", "plane"]

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 44
TICKS = 5
CROSSES = 100  # of more entries, the best have intervals


@dataclass(frozen=True, slots=True)
class Dot:
    """An entry: forgetting quality and utility, each with the ends of its interval."""

    name: str
    forgetting: tuple[float, float, float]
    utility: tuple[float, float, float]
    ranked: bool


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    start: float  # in pixels
    end: float

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float) -> "_Axis":
        low, high = min(values, default=0.0), max(values, default=1.0)
        margin = (high - low) * 0.05 or 0.05
        return cls(max(0.0, low - margin), high + margin, start, end)

    def __call__(self, value: float) -> float:
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 1)

    def ticks(self) -> Iterator[float]:
        return (self.low + (self.high - self.low) * number / TICKS for number in range(TICKS + 1))


def plane(dots: Sequence[Dot]) -> Iterator[str]:
    """Draw the plane, part by part. The best entry comes first, and is drawn last."""
    across = _Axis.over([value for dot in dots for value in dot.utility], LEFT, WIDTH - RIGHT)
    up = _Axis.over([value for dot in dots for value in dot.forgetting], HEIGHT - BOTTOM, TOP)
    yield (
        f'<svg class="plane" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Forgetting quality and utility of {len(dots)} entries with 95% intervals">'
    )
    yield from _axes(across, up)
    for number, dot in reversed(list(enumerate(dots))):
        yield _dot(dot, across, up, crossed=number < CROSSES)
    yield "</svg>"


def _axes(across: _Axis, up: _Axis) -> Iterator[str]:
    for value in across.ticks():
        x = across(value)
        yield f'<path class="grid" d="M{x} {TOP}V{HEIGHT - BOTTOM}"/>'
        yield f'<text x="{x}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:.2f}</text>'
    for value in up.ticks():
        y = up(value)
        yield f'<path class="grid" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{value:.2f}</text>'
    yield f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 8}" text-anchor="middle">utility</text>'
    middle = (HEIGHT - BOTTOM) / 2
    turned = f'text-anchor="middle" transform="rotate(-90 14 {middle})"'
    yield f'<text x="14" y="{middle}" {turned}>forgetting quality</text>'


def _dot(dot: Dot, across: _Axis, up: _Axis, *, crossed: bool) -> str:
    (forgetting, f_low, f_high), (utility, u_low, u_high) = dot.forgetting, dot.utility
    x, y = across(utility), up(forgetting)
    lines = f'<path d="M{across(u_low)} {y}H{across(u_high)}M{x} {up(f_low)}V{up(f_high)}"/>' if crossed else ""
    words = f"{dot.name}: forgetting quality {forgetting:.4f}, utility {utility:.4f}"
    kind = "entry" if dot.ranked else "entry unranked"
    return f'<g class="{kind}"><title>{escape(words)}</title>{lines}<circle cx="{x}" cy="{y}" r="3"/></g>'
