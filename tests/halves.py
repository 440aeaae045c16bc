"""Scores with a known error: halves whose differences are orthogonal to those of every other entry."""

from itertools import count

import numpy as np
from scipy.linalg import hadamard

SPLITS = 16
QUANTILE = 2.131449545559323  # of Student's t with 15 degrees of freedom, two-sided 5 %, as tables have it
_numbers = count()


def halves_with_margin(value: float, margin: float, number: int | None = None) -> list[list[float]]:
    """Make halves of a score whose 95 % interval reaches `margin` to each side.

    Entries of different numbers (modulo 16; the next one by default) are independent: their margins add as squares.
    """
    signs = hadamard(SPLITS)[(next(_numbers) if number is None else number) % SPLITS]
    gap = margin / QUANTILE * np.sqrt(2)
    return [[value + sign * gap / 2, value - sign * gap / 2] for sign in signs.tolist()]
