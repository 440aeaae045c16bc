"""Invents subjects: their ages and the traits that all their images share. Nothing is drawn here."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["AGE_GROUPS", "InventedPerson", "age_groups", "subject_of"]

Colour = tuple[float, float, float]

AGE_GROUPS = 10
YOUNGEST, OLDEST = 15, 70
VISIBLE_AGE_NOISE_YEARS = 4.0
YOUNG_SHARE = 0.8  # the others have uniformly distributed ages, so that every age group has some subjects

SKINS: tuple[Colour, ...] = ((88, 57, 41), (134, 90, 62), (180, 128, 94), (214, 165, 130), (238, 198, 170))
HAIRS: tuple[Colour, ...] = ((28, 24, 24), (58, 38, 28), (98, 64, 40), (150, 104, 58), (196, 156, 96), (138, 62, 34))
GREY: Colour = (200, 200, 204)
IRISES: tuple[Colour, ...] = ((56, 36, 24), (92, 64, 36), (70, 96, 62), (70, 108, 146), (96, 104, 112))
STYLES = ("short", "parted", "fringe", "curly", "bun", "long", "long fringe")
STYLE_SHARES = {"M": (0.38, 0.26, 0.14, 0.12, 0.03, 0.05, 0.02), "F": (0.10, 0.10, 0.08, 0.15, 0.17, 0.22, 0.18)}


@dataclass(frozen=True, slots=True)
class InventedPerson:
    """One invented person. Lengths are in half heights of an average face; `wear`, `grey`, `bald` run from 0 to 1."""

    number: int
    age: int
    gender: str
    visible_age: float
    wear: float
    grey: float
    bald: float
    skin: Colour
    hair: Colour
    iris: Colour
    clothes: Colour
    wall: Colour
    panel: Colour
    panel_edge: float
    style: str
    width: float
    height: float
    jaw: float
    eye_gap: float
    eye_size: float
    eye_height: float
    nose_width: float
    nose_length: float
    mouth_width: float
    lips: float
    brow: float
    ears: float
    glasses: str
    beard: str
    marks: tuple[tuple[float, float, float], ...]  # x, y, radius of freckles and age spots


def subject_of(seed: int, number: int) -> InventedPerson:
    """Invent subject `number` (1, 2, …) of a seed's population. The result does not depend on its other subjects."""
    rng = np.random.default_rng([seed, number, 0])
    age = _age(rng)
    visible_age = age + VISIBLE_AGE_NOISE_YEARS * float(rng.standard_normal())
    wear = float(np.clip((visible_age - 10) / 55, 0, 1))
    gender = "M" if rng.random() < 0.5 else "F"
    grey = float(np.clip((visible_age - 24 - 5 * rng.random()) / 34, 0, 1))
    recession = rng.uniform(0.35, 1.0) if gender == "M" else rng.uniform(0.05, 0.35)
    return InventedPerson(
        number=number,
        age=age,
        gender=gender,
        visible_age=visible_age,
        wear=wear,
        grey=grey,
        bald=float(recession * np.clip((visible_age - 20) / 42, 0, 1)),
        skin=_blend(SKINS, rng.random()),
        hair=_jitter(rng, HAIRS[rng.integers(len(HAIRS))], 10),
        iris=_jitter(rng, IRISES[rng.integers(len(IRISES))], 8),
        clothes=_any_colour(rng, 30, 220),
        wall=_any_colour(rng, 70, 235),
        panel=_any_colour(rng, 70, 235),
        panel_edge=float(rng.uniform(-1.8, 1.8)),
        style=STYLES[rng.choice(len(STYLES), p=STYLE_SHARES[gender])],
        width=float(rng.uniform(0.68, 0.84)) * (1.04 - 0.06 * wear),
        height=float(rng.uniform(0.93, 1.05)) * (0.90 + 0.18 * wear),
        jaw=float(rng.uniform(0.12, 0.40)),
        eye_gap=float(rng.uniform(0.29, 0.38)),
        eye_size=float(rng.uniform(0.115, 0.155)) * (1.24 - 0.46 * wear),
        eye_height=float(rng.uniform(-0.08, -0.02)) - 0.14 * wear,
        nose_width=float(rng.uniform(0.10, 0.18)) * (0.88 + 0.32 * wear),
        nose_length=float(rng.uniform(0.34, 0.46)) * (0.95 + 0.10 * wear),
        mouth_width=float(rng.uniform(0.21, 0.32)),
        lips=float(rng.uniform(0.05, 0.10)) * (1.22 - 0.60 * wear),
        brow=float(rng.uniform(0.035, 0.075)),
        ears=float(rng.uniform(0.13, 0.19)),
        glasses=("none", "round", "wide")[rng.choice(3, p=(0.75, 0.14, 0.11))],
        beard=_beard(rng, gender, age),
        marks=_marks(rng, wear),
    )


def age_groups(ages: Sequence[int]) -> list[int]:
    """Sort ages into 10 bins of equal width from the least to the greatest + 1; the groups are the classes."""
    edges = np.linspace(min(ages), max(ages) + 1, AGE_GROUPS + 1)
    return [int(group) for group in np.digitize(ages, edges[1:-1])]


def _age(rng: np.random.Generator) -> int:
    years = OLDEST - YOUNGEST + 1
    share = rng.beta(1, 5) if rng.random() < YOUNG_SHARE else rng.random()
    return YOUNGEST + int(years * share)


def _beard(rng: np.random.Generator, gender: str, age: int) -> str:
    kind = ("none", "stubble", "moustache", "full")[rng.choice(4, p=(0.55, 0.17, 0.11, 0.17))]
    return kind if gender == "M" and age >= 20 else "none"


def _marks(rng: np.random.Generator, wear: float) -> tuple[tuple[float, float, float], ...]:
    count = int(rng.poisson(1 + 14 * wear))
    places = rng.uniform((-0.55, -0.65, 0.012), (0.55, 0.75, 0.022 + 0.02 * wear), (count, 3))
    return tuple((float(x), float(y), float(radius)) for x, y, radius in places)


def _blend(colours: tuple[Colour, ...], share: float) -> Colour:
    places = np.linspace(0, 1, len(colours))
    red, green, blue = (float(np.interp(share, places, channel)) for channel in zip(*colours, strict=True))
    return red, green, blue


def _jitter(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    red, green, blue = (float(value) for value in np.clip(np.add(colour, rng.uniform(-spread, spread, 3)), 0, 255))
    return red, green, blue


def _any_colour(rng: np.random.Generator, low: float, high: float) -> Colour:
    red, green, blue = (float(value) for value in rng.uniform(low, high, 3))
    grey = (red + green + blue) / 3
    return (red + grey) / 2, (green + grey) / 2, (blue + grey) / 2
