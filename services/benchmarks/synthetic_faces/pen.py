"""A pen that draws in coordinates of the face: (0, 0) is its middle, y points down, 1 is half an average height."""

import math
from collections.abc import Iterable

from PIL import Image, ImageDraw

from services.benchmarks.synthetic_faces.population import Colour
from services.benchmarks.synthetic_faces.views import View

__all__ = ["Pen", "Point", "arc", "mix", "shade"]

Point = tuple[float, float]
FACE_SHARE = 0.385  # half a face's height, as a share of the image's side
MIDDLE_Y = 0.53


class Pen:
    """Draws shapes that are moved, turned and scaled by a view."""

    def __init__(self, canvas: Image.Image, view: View) -> None:
        unit = canvas.width * FACE_SHARE * view.scale
        self._cos, self._sin = unit * math.cos(view.angle), unit * math.sin(view.angle)
        self._x = canvas.width * (0.5 + FACE_SHARE * view.shift_x)
        self._y = canvas.height * (MIDDLE_Y + FACE_SHARE * view.shift_y)
        self._unit = unit
        self._draw = ImageDraw.Draw(canvas)

    def polygon(self, points: Iterable[Point], colour: Colour) -> None:
        """Fill a polygon."""
        self._draw.polygon(self._place(points), fill=_ink(colour))

    def ellipse(self, x: float, y: float, radius_x: float, radius_y: float, colour: Colour) -> None:
        """Fill an ellipse."""
        self.polygon(arc(x, y, radius_x, radius_y), colour)

    def line(self, points: Iterable[Point], colour: Colour, width: float) -> None:
        """Draw a line through points."""
        pixels = max(1, round(width * self._unit))
        self._draw.line(self._place(points), fill=_ink(colour), width=pixels, joint="curve" if pixels > 3 else None)

    def _place(self, points: Iterable[Point]) -> list[Point]:
        cos, sin, left, top = self._cos, self._sin, self._x, self._y
        return [(left + cos * x - sin * y, top + sin * x + cos * y) for x, y in points]


def arc(
    x: float, y: float, radius_x: float, radius_y: float, *, start: float = 0.0, end: float = 360.0, steps: int = 28
) -> list[Point]:
    """List points of an ellipse's arc; angles are in degrees, 0 is right and 90 is down."""
    angles = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return [(x + radius_x * math.cos(angle), y + radius_y * math.sin(angle)) for angle in angles]


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Blend two colours; `share` is the second's."""
    keep = 1 - share
    return (
        keep * first[0] + share * second[0],
        keep * first[1] + share * second[1],
        keep * first[2] + share * second[2],
    )


def shade(colour: Colour, factor: float) -> Colour:
    """Darken or brighten a colour."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _ink(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = (min(255, max(0, round(channel))) for channel in colour)
    return red, green, blue
