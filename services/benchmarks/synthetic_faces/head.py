"""Draws everything behind and around the features: wall, clothes, skull, hair, and the signs of age on the skin."""

import math

from services.benchmarks.synthetic_faces.pen import Pen, Point, arc, mix, shade
from services.benchmarks.synthetic_faces.population import GREY, Colour, InventedPerson
from services.benchmarks.synthetic_faces.views import View

__all__ = ["ageing", "backdrop", "hair_behind", "hair_colour", "hair_in_front", "shoulders", "skin_colour", "skull"]

FAR = 4.0  # beyond the image's edge, in any pose
SALLOW: Colour = (176, 152, 132)
ROSE: Colour = (224, 92, 92)


def skin_colour(subject: InventedPerson) -> Colour:
    """Return the skin's colour, which dulls a little with age."""
    return mix(subject.skin, shade(SALLOW, sum(subject.skin) / sum(SALLOW)), 0.70 * subject.wear)


def hair_colour(subject: InventedPerson) -> Colour:
    """Return the hair's colour, with the subject's share of grey."""
    return mix(subject.hair, GREY, 0.95 * subject.grey)


def backdrop(pen: Pen, subject: InventedPerson, view: View) -> None:
    """Paint a wall of two colours; the position of their edge belongs to the subject."""
    pen.polygon(_box(-FAR, -FAR, FAR, FAR), shade(subject.wall, view.wall_shade))
    pen.polygon(_box(subject.panel_edge, -FAR, FAR, FAR), shade(subject.panel, view.wall_shade))


def shoulders(pen: Pen, subject: InventedPerson) -> None:
    """Draw the neck and the clothes."""
    neck = 0.62 * subject.width
    pen.ellipse(0, 2.15, 1.32, 0.98, subject.clothes)
    pen.ellipse(0, 1.30, neck + 0.06, 0.22, shade(subject.clothes, 0.72))
    pen.polygon(_box(-neck, 0.3, neck, 1.28), shade(skin_colour(subject), 0.80))
    pen.ellipse(0, 1.27, neck, 0.17, shade(skin_colour(subject), 0.80))


def skull(pen: Pen, subject: InventedPerson) -> None:
    """Draw the ears and the face's outline."""
    skin = skin_colour(subject)
    for side in (-1, 1):
        ear = side * 0.97 * subject.width
        pen.ellipse(ear, 0.04, 0.75 * subject.ears, 1.25 * subject.ears, shade(skin, 0.92))
        pen.ellipse(ear, 0.05, 0.38 * subject.ears, 0.75 * subject.ears, shade(skin, 0.76))
    pen.polygon(_outline(subject, 1.0), shade(skin, 0.90))
    pen.polygon(_outline(subject, 0.95), skin)


def ageing(pen: Pen, subject: InventedPerson, view: View) -> None:
    """Draw wrinkles and spots. They deepen with visible age, and some with a smile."""
    wear, skin = subject.wear, skin_colour(subject)
    _cheeks(pen, subject, view)
    for x, y, radius in subject.marks:
        pen.ellipse(x * subject.width, y * subject.height, radius, radius, shade(skin, 0.86 - 0.16 * wear))
    if wear < 0.08:
        return
    (crease, width), slide = _crease(subject), view.turn
    for row in range(1 + round(2.4 * wear)):
        y = subject.eye_height - 0.36 - 0.11 * row - 0.03 * view.brows_up
        half = 0.42 * subject.width + 0.08 * wear
        pen.line(arc(slide, y + 0.05, half, 0.05, start=195, end=345, steps=10), crease, width)
    for side in (-1, 1):
        _creases_of_a_side(pen, subject, view, side)


def _cheeks(pen: Pen, subject: InventedPerson, view: View) -> None:
    """Colour young cheeks, and hollow old ones."""
    wear, skin = subject.wear, skin_colour(subject)
    rosy = mix(skin, shade(ROSE, max(skin) / 240), 0.34 * max(0.0, 1 - 1.6 * wear))
    hollow = shade(skin, 1 - 0.22 * wear)
    for side in (-1, 1):
        eye = side * subject.eye_gap + view.turn
        pen.ellipse(eye, subject.eye_height + 0.30, 0.17, 0.12, rosy)
        pen.ellipse(eye, subject.eye_height + 0.13, 1.2 * subject.eye_size, 0.03 + 0.06 * wear, hollow)
        cheek = [(0.74, 0.28), (0.84, 0.28), (0.66, 0.62), (0.56, 0.55)]
        pen.polygon([(side * x * subject.width, y * subject.height) for x, y in cheek], hollow)


def _creases_of_a_side(pen: Pen, subject: InventedPerson, view: View, side: int) -> None:
    wear, size, slide = subject.wear, subject.eye_size, view.turn
    crease, width = _crease(subject)
    eye, eye_y = side * subject.eye_gap + slide, subject.eye_height
    skin = skin_colour(subject)
    bag = mix(skin, crease, 0.30 + 0.25 * wear)
    pen.line(arc(eye, eye_y + 0.5 * size, 1.05 * size, 0.85 * size, start=20, end=160, steps=10), bag, 1.6 * width)
    corner = eye + side * 1.25 * size
    for fan in (-0.5, 0.0, 0.5):
        reach = (0.05 + 0.13 * wear) * (1 + 0.3 * max(0.0, view.smile))
        pen.line([(corner, eye_y + 0.08 * fan), (corner + side * reach, eye_y + 0.2 * fan)], crease, 0.8 * width)
    mouth_y = 0.55 * subject.height
    wing = side * (subject.nose_width + 0.05) + slide
    fold = side * (subject.mouth_width + 0.10 + 0.04 * max(0.0, view.smile)) + 0.6 * slide
    nose_y = eye_y + subject.nose_length
    bend = (fold * 0.8 + wing * 0.2, (nose_y + mouth_y) / 2)
    pen.line([(wing, nose_y), bend, (fold, mouth_y + 0.14 * wear)], mix(skin, crease, 0.75), 1.15 * width)
    pen.line([(fold * 0.96, mouth_y + 0.16), (fold * 0.86, mouth_y + 0.14 + 0.16 * wear)], bag, width)


def _crease(subject: InventedPerson) -> tuple[Colour, float]:
    return shade(skin_colour(subject), 1 - 0.40 * subject.wear), 0.014 + 0.026 * subject.wear


def hair_behind(pen: Pen, subject: InventedPerson) -> None:
    """Draw the hair that falls behind the head."""
    hair, width, height = shade(hair_colour(subject), 0.82), subject.width, subject.height
    if subject.style.startswith("long"):
        pen.ellipse(0, -0.15 * height, 1.22 * width, 1.08 * height, hair)
        pen.polygon([(-1.22 * width, -0.1), (-1.32 * width, 1.35), (1.32 * width, 1.35), (1.22 * width, -0.1)], hair)
    elif subject.style == "bun":
        pen.ellipse(0, -1.16 * height, 0.36 * width, 0.26, hair)
    elif subject.style == "curly":
        for x, y in arc(0, -0.25 * height, 1.02 * width, 0.82 * height, start=160, end=380, steps=11):
            pen.ellipse(x, y, 0.25, 0.25, hair)


def hair_in_front(pen: Pen, subject: InventedPerson) -> None:
    """Draw the hair that frames the face. A receding hairline rises, first at the temples."""
    hair, width, height, bald = hair_colour(subject), subject.width, subject.height, subject.bald
    hairline = -0.56 - 0.30 * bald
    temple = -0.20 - 0.25 * bald
    if bald > 0.72:
        _fringe_of_the_bald(pen, subject, hair)
        return
    top = arc(0, -0.12 * height, 1.06 * width, 0.98 * height, start=180, end=360)
    inner = _hairline(subject, hairline * height, temple * height)
    pen.polygon([*top, *inner], hair)
    if subject.style == "parted":
        parting = [(0.33 * width, -1.0 * height), (0.35 * width, (hairline - 0.12) * height)]
        pen.line(parting, shade(hair, 0.72), 0.03)
    pen.line(
        arc(0, -0.12 * height, 0.86 * width, 0.86 * height, start=205, end=255, steps=10), shade(hair, 1.22), 0.035
    )


def _hairline(subject: InventedPerson, hairline: float, temple: float) -> list[Point]:
    width, bald = subject.width, subject.bald
    if subject.style in {"fringe", "long fringe"}:
        low = hairline + 0.20
        return [
            (0.98 * width, temple),
            (0.84 * width, low + 0.06),
            (0.3, low),
            (-0.3, low),
            (-0.84 * width, low + 0.06),
        ]
    if subject.style == "parted":
        right = [(0.98 * width, temple), (0.80 * width, hairline + 0.1), (0.35 * width, hairline - 0.12)]
        left = [(-0.1 * width, hairline + 0.02), (-0.84 * width, hairline + 0.16), (-0.98 * width, temple)]
        return right + left
    bay = hairline - 0.22 * bald  # the corners recede before the middle
    corners = [(0.98, temple), (0.82, hairline + 0.12), (0.55, bay), (0.2, hairline), (-0.2, hairline)]
    corners += [(-0.55, bay), (-0.82, hairline + 0.12), (-0.98, temple)]
    return [(x * width, y) for x, y in corners]


def _fringe_of_the_bald(pen: Pen, subject: InventedPerson, hair: Colour) -> None:
    width, height = subject.width, subject.height
    for side in (-1, 1):
        outer = [
            (side * 1.05 * width, 0.08),
            (side * 1.07 * width, -0.25 * height),
            (side * 0.93 * width, -0.55 * height),
        ]
        inner = [
            (side * 0.84 * width, -0.46 * height),
            (side * 0.93 * width, -0.2 * height),
            (side * 0.95 * width, 0.08),
        ]
        pen.polygon([*outer, *inner], hair)


def _outline(subject: InventedPerson, scale: float) -> list[Point]:
    """Trace a rounded shape whose lower half narrows towards the chin."""
    points = []
    for step in range(40):
        angle = 2 * math.pi * step / 40
        down, right = math.sin(angle), math.cos(angle)
        narrow = 1 - subject.jaw * max(0.0, down) ** 2
        across = math.copysign(abs(right) ** 0.85, right) * narrow
        points.append((scale * subject.width * across, scale * subject.height * down))
    return points


def _box(left: float, top: float, right: float, bottom: float) -> list[Point]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]
