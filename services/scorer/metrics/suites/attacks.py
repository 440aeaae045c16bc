"""Parts that the membership inference attacks share: the choice of examples, and a logistic regression on one number.

An attack runs once per model, so it uses only the first models; their mean is as good as a mean over all.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from services.scorer.metrics.suites.predictions import Array

__all__ = ["LOGISTIC_MODELS", "choose", "fit_logistic"]

LOGISTIC_MODELS = 64  # logistic regressions attack at most this number of models per side
SEED = 20_230_911  # fixed, so that a score can be recomputed
STEPS = 100
HALVINGS = 60
TOLERANCE = 1e-18  # gain of the next step, in nats
FLATTEST = 1e-16  # of a saturated example, whose curvature would be 0


def choose(available: int, wanted: int) -> NDArray[np.intp]:
    """Draw `wanted` of `available` positions without repeats, in ascending order; every call gives the same ones."""
    drawn = np.random.default_rng(SEED).permutation(available)[:wanted]
    return np.sort(drawn)


def fit_logistic(values: Array, members: NDArray[np.bool_], weights: Array) -> tuple[Array, Array]:
    """Fit P(member) = sigmoid(slope * value + intercept) on each row: slopes [K], intercepts [K].

    `values` [K, n] holds K independent attacks on n examples; `members` [n] and `weights` [n] are those of all.
    Minimises slope^2 / 2 + the weighted cross-entropy, as scikit-learn's LogisticRegression does with C=1 (Bishop,
    Pattern Recognition and Machine Learning, 4.3.3). Newton's method with step halving solves all rows at once: 1,280
    attacks take as long as some twenty calls of scikit-learn. Made for losses and entropies, values between 0 and 100.
    Both kinds must occur, else the intercept has no finite optimum.
    """
    middle = values.mean(axis=1, keepdims=True)
    spread = values.std(axis=1, keepdims=True)
    constant = spread <= 1e-12 * np.maximum(1.0, np.abs(middle))
    spread = np.where(constant, 1.0, spread)
    scaled = np.where(constant, 0.0, (values - middle) / spread)
    problem = _Problem(scaled, members, weights, 1.0 / spread[:, 0] ** 2)
    slopes, intercepts = problem.solve()
    slopes = slopes / spread[:, 0]
    return slopes, intercepts - slopes * middle[:, 0]


class _Problem:
    """K logistic regressions on standardised values, with a different penalty on the slope in each row."""

    def __init__(self, values: Array, members: NDArray[np.bool_], weights: Array, penalty: Array) -> None:
        self.values, self.weights, self.penalty = values, weights, penalty
        self.members = members.astype(np.float64)
        self.signs = np.where(members, -1.0, 1.0)

    def solve(self) -> tuple[Array, Array]:
        at = np.zeros((2, len(self.values)))  # slopes, intercepts
        loss = self.loss(at)
        for _ in range(STEPS):
            step, gain = self.newton(at)
            if gain.max() < TOLERANCE:
                break
            at, loss = self.descend(at, step, loss)
        return at[0], at[1]

    def descend(self, at: Array, step: Array, loss: Array) -> tuple[Array, Array]:
        """Take the step, halved on each row until the loss does not rise; take none if it always rises."""
        size = np.ones(len(loss))
        for _ in range(HALVINGS):
            tried = self.loss(at - size * step)
            rises = tried > loss * (1 + 1e-13)
            if not rises.any():
                return at - size * step, tried
            size[rises] /= 2
        size[rises] = 0.0
        return at - size * step, self.loss(at - size * step)

    def loss(self, at: Array) -> Array:
        line = self.values * at[0][:, None] + at[1][:, None]
        result: Array = np.logaddexp(0.0, self.signs * line) @ self.weights + self.penalty * at[0] ** 2 / 2
        return result

    def newton(self, at: Array) -> tuple[Array, Array]:
        """Compute the Newton step, inverse Hessian times gradient, [2, K], and what it would gain, [K] nats.

        The intercept is eliminated first, with values held against their mean weighted by curvature: the determinant
        of the two-by-two Hessian would be lost in rounding where one value lies far out.
        """
        chance = expit(self.values * at[0][:, None] + at[1][:, None])
        error = (chance - self.members) * self.weights
        curve = np.maximum(chance * (1 - chance), FLATTEST) * self.weights
        total = curve.sum(axis=1)
        middle = (curve * self.values).sum(axis=1) / total
        apart = self.values - middle[:, None]
        by_slope = (error * apart).sum(axis=1) + self.penalty * at[0]
        by_intercept = error.sum(axis=1)
        slope = by_slope / ((curve * apart**2).sum(axis=1) + self.penalty)
        step = np.stack([slope, by_intercept / total - middle * slope])
        return step, (slope * by_slope + by_intercept**2 / total) / 2
