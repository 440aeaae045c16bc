"""Saved results of the papers for figures 3c, 4 and 5, and their constants: computing them again needs no data.

The numbers are saved results of Graph-COM/Langevin_unlearning. `docs/certificates.md` explains errors in other numbers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.scorer.certificates import ConvexProblem, langevin

__all__ = ["FIGURES", "MNIST", "MNIST_3C", "Saved", "on_grid"]

N = 11_982  # of 3 and 8 in MNIST's training set
# Figures 4 and 5 were computed with a smoothness that the released code does not have; figure 3c with 1/4 + m.
MNIST = ConvexProblem(N, 1e-6 * N, 0.1947, 1.0, 1 / N)
MNIST_3C = ConvexProblem(N, 1e-6 * N, 0.25 + 1e-6 * N, 1.0, 1 / N)


@dataclass(frozen=True, slots=True)
class Saved:
    """Steps K that the paper needed on MNIST for S points."""

    problem: ConvexProblem
    points: int
    epsilon: float
    sigma: float
    steps: int

    def recomputed(self) -> int:
        """Give the least K, at least 1."""
        return langevin.least_steps(
            self.problem, points=self.points, sigma=self.sigma, epsilon=self.epsilon, at_least=1
        )


def on_grid(steps: int) -> int:
    """Give the first of 1, 11, 21, .. that is not below: the papers tried only these."""
    return 1 + 10 * max(0, math.ceil((steps - 1) / 10))


def _over_points(epsilon: float, steps: Sequence[int]) -> list[Saved]:
    return [Saved(MNIST, S, epsilon, 0.03, k) for S, k in zip((1, 10, 50, 100, 500, 1000), steps, strict=True)]


def _over_epsilon(points: int, steps: Sequence[int]) -> list[Saved]:
    return [Saved(MNIST, points, e, 0.03, k) for e, k in zip((0.1, 0.5, 1.0, 2.0, 5.0), steps, strict=True)]


FIGURES = {
    "3c": [
        Saved(MNIST_3C, 100, 1.0, sigma, k)
        for sigma, k in ((0.01, 2551), (0.05, 1741), (0.1, 1381), (0.2, 1011), (0.5, 481), (1.0, 1))
    ],
    "4": [
        *_over_epsilon(1, (5251, 1, 1, 1, 1)),
        *_over_epsilon(50, (18_981, 2831, 1231, 531, 171)),
        *_over_epsilon(100, (21_281, 3321, 1491, 671, 251)),
    ],
    "5": [
        *_over_points(0.5, (1, 1641, 2831, 3321, 4441, 4921)),
        *_over_points(1.0, (1, 581, 1231, 1491, 2081, 2331)),
        *_over_points(2.0, (1, 151, 531, 671, 1001, 1141)),
    ],
}
