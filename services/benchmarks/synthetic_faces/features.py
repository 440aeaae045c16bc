"""Eyes, nose, mouth, beard and glasses."""

from services.benchmarks.synthetic_faces.head import hair_colour, skin_colour
from services.benchmarks.synthetic_faces.pen import Pen, arc, mix, shade
from services.benchmarks.synthetic_faces.population import Colour, InventedPerson
from services.benchmarks.synthetic_faces.views import View

__all__ = ["beard", "eyes", "glasses", "mouth", "nose"]

EYEBALL: Colour = (236, 234, 230)
PUPIL: Colour = (16, 14, 14)
TEETH: Colour = (232, 226, 214)
LIPS: Colour = (176, 72, 74)
FRAME: Colour = (34, 32, 36)


def eyes(pen: Pen, subject: InventedPerson, view: View) -> None:
    """Draw the eyes and the brows."""
    skin, size, y = skin_colour(subject), subject.eye_size, subject.eye_height
    lids = 0.62 * size * view.eyes_open * (1 - 0.25 * subject.wear)
    for side in (-1, 1):
        x = side * subject.eye_gap + view.turn
        pen.ellipse(x, y - 0.02, 1.35 * size, size, shade(skin, 0.94 - 0.10 * subject.wear))
        if view.eyes_open > 0.3:
            iris, look = min(0.56 * size, 1.15 * lids), x + 0.25 * size * view.gaze
            pen.ellipse(x, y, size, lids, EYEBALL)
            pen.ellipse(look, y, iris, min(iris, lids), subject.iris)
            pen.ellipse(look, y, 0.5 * iris, 0.5 * min(iris, lids), PUPIL)
            pen.ellipse(look + 0.25 * iris, y - 0.3 * lids, 0.2 * iris, 0.2 * iris, EYEBALL)
        pen.line(arc(x, y, 1.08 * size, lids, start=185, end=355, steps=12), shade(skin, 0.38), 0.028)
        _brow(pen, subject, view, side, x)


def _brow(pen: Pen, subject: InventedPerson, view: View, side: int, x: float) -> None:
    size, half = subject.eye_size, subject.brow / 2
    colour = mix(hair_colour(subject), shade(skin_colour(subject), 0.5), 0.3)
    y = subject.eye_height - 1.35 * size - 0.05 - 0.04 * view.brows_up
    inner, middle, outer = x - side * 1.2 * size, x + side * 0.2 * size, x + side * 1.4 * size
    over = [(inner, y - half), (middle, y - 0.045 - half), (outer, y + 0.03)]
    under = [(middle, y - 0.045 + half), (inner, y + half)]
    pen.polygon([*over, *under], colour)


def nose(pen: Pen, subject: InventedPerson, view: View) -> None:
    """Draw the nose's shadow, its tip and the nostrils."""
    skin, width = skin_colour(subject), subject.nose_width
    top, tip = subject.eye_height + 0.06, subject.eye_height + subject.nose_length
    x = 1.35 * view.turn
    pen.polygon([(0.9 * view.turn + 0.02, top), (x + 0.9 * width, tip), (x + 0.1 * width, tip)], shade(skin, 0.88))
    pen.line(arc(x, tip - 0.02, width, 0.075, start=10, end=170, steps=12), shade(skin, 0.68), 0.03)
    pen.ellipse(x, tip - 0.05, 0.5 * width, 0.05, shade(skin, 1.07))
    for side in (-1, 1):
        pen.ellipse(x + side * 0.48 * width, tip + 0.02, 0.2 * width, 0.02, shade(skin, 0.45))


def mouth(pen: Pen, subject: InventedPerson, view: View) -> None:
    """Draw the mouth. A smile raises its corners, and an open mouth shows teeth."""
    x, y, width = 1.1 * view.turn, 0.55 * subject.height, subject.mouth_width * (1 + 0.18 * max(0.0, view.smile))
    lift, gap, full = 0.09 * view.smile, 0.10 * view.mouth_open, subject.lips
    colour = mix(shade(skin_colour(subject), 0.82), LIPS, 0.45 if subject.gender == "F" else 0.25)
    left, right = (x - width, y - lift), (x + width, y - lift)
    upper = [(x - 0.35 * width, y - full - 0.3 * lift), (x, y - 0.75 * full), (x + 0.35 * width, y - full - 0.3 * lift)]
    lower = [(x + 0.5 * width, y + full + gap), (x, y + 1.25 * full + gap), (x - 0.5 * width, y + full + gap)]
    pen.polygon([left, *upper, right, *lower], colour)
    seam = [(x - 0.5 * width, y - 0.1 * lift), (x, y + 0.25 * lift), (x + 0.5 * width, y - 0.1 * lift)]
    if gap > 0.03:
        inside = [(x + 0.45 * width, y + gap + 0.1 * full), (x - 0.45 * width, y + gap + 0.1 * full)]
        pen.polygon([left, *seam, right, *inside], (74, 26, 30))
        bite = [(x + 0.45 * width, y + 0.45 * gap), (x - 0.45 * width, y + 0.45 * gap)]
        pen.polygon([*seam, *bite], TEETH)
    else:
        pen.line([left, *seam, right], shade(colour, 0.55), 0.024)


def beard(pen: Pen, subject: InventedPerson, view: View) -> None:
    """Draw stubble, a moustache or a full beard, as grey as the hair."""
    if subject.beard == "none":
        return
    skin, width, height = skin_colour(subject), subject.width, subject.height
    cover = {"stubble": 0.35, "moustache": 0.85, "full": 0.9}[subject.beard]
    colour = mix(skin, hair_colour(subject), cover)
    x, lip = 1.1 * view.turn, 0.55 * height
    if subject.beard != "moustache":
        narrow = 1 - subject.jaw
        chin = [(0.92 * width, 0.20), (0.84 * width, 0.55 * height), (0.55 * narrow * width, 0.93 * height)]
        chin.append((0.0, 1.0 * height))
        cheek = [(0.80 * width, 0.22), (0.52 * width, 0.40 * height), (0.32 * width, lip - 0.14)]
        left = [(-a, b) for a, b in reversed(chin[:-1])]
        inner = [(-a, b) for a, b in cheek]
        pen.polygon([*chin, *left, *inner, *reversed(cheek)], colour)
    reach = 1.1 * subject.mouth_width
    pen.polygon([(x - reach, lip - 0.01), (x, lip - 0.17), (x + reach, lip - 0.01), (x, lip - 0.05)], colour)


def glasses(pen: Pen, subject: InventedPerson, view: View) -> None:
    """Draw spectacles, if the subject wears them."""
    if subject.glasses == "none":
        return
    y, gap, x = subject.eye_height + 0.02, subject.eye_gap, view.turn
    across, down = (0.215, 0.20) if subject.glasses == "round" else (0.245, 0.155)
    across = min(across, gap - 0.04)
    for side in (-1, 1):
        pen.line(arc(x + side * gap, y, across, down), FRAME, 0.04)
        pen.line([(x + side * (gap + across), y), (side * 0.98 * subject.width, y - 0.04)], FRAME, 0.035)
    pen.line(arc(x, y, gap - across, 0.05, start=180, end=360, steps=8), FRAME, 0.035)
