"""The logistic regression of the attacks, against scikit-learn's, and the examples that take part."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from services.scorer.metrics.suites.attacks import choose, fit_logistic

MEMBERS = np.arange(12) < 5


@pytest.mark.parametrize("scale", [1e-3, 1.0, 100.0])
@pytest.mark.parametrize("balanced", [True, False])
def test_fit_equals_sklearn_when_rows_overlap_or_not(scale: float, balanced: bool) -> None:
    values = np.random.default_rng(0).exponential(scale, size=(6, 200))
    members = np.arange(200) < 70
    values[:3, members] += scale * np.array([[0.0], [1.0], [9.0]])  # the last row is all but separable
    weights = 100 / np.where(members, 70, 130) if balanced else np.ones(200)
    slopes, intercepts = fit_logistic(values, members, weights)
    for row, slope, intercept in zip(values, slopes, intercepts, strict=True):
        model = LogisticRegression(
            tol=1e-10, solver="newton-cholesky", max_iter=1000, class_weight="balanced" if balanced else None
        )
        model.fit(row[:, None], members)
        assert slope == pytest.approx(model.coef_[0, 0], rel=1e-5, abs=1e-7)
        assert intercept == pytest.approx(model.intercept_[0], rel=1e-5, abs=1e-7)


def test_slope_is_0_and_intercept_the_odds_when_values_are_constant() -> None:
    slopes, intercepts = fit_logistic(np.full((2, 12), 7.1), MEMBERS, np.ones(12))
    assert slopes.tolist() == [0, 0]
    assert intercepts == pytest.approx(np.log([5 / 7, 5 / 7]), abs=1e-9)


@given(arrays(np.float64, (3, 12), elements=st.floats(-1000, 1000).map(lambda value: round(value, 3))))
def test_gradient_of_the_loss_is_0_at_the_fit_of_any_values(values: NDArray[np.float64]) -> None:
    slopes, intercepts = fit_logistic(values, MEMBERS, np.ones(12))
    error = expit(values * slopes[:, None] + intercepts[:, None]) - MEMBERS
    spread = np.maximum(values.std(axis=1), 1e-9)  # in units of the values' spread
    assert error.sum(axis=1) == pytest.approx(0, abs=1e-6)
    assert ((error * values).sum(axis=1) + slopes) / spread == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    "kind", ["heavy tail", "apart", "far apart", "one far out", "too far for whole steps", "subnormal"]
)
def test_gradient_of_the_loss_is_0_when_values_are_extreme(kind: str) -> None:
    rng = np.random.default_rng(6)
    values = {
        "heavy tail": np.exp(rng.normal(0, 6, size=(8, 12))),
        "apart": rng.random((8, 12)) + 1e4 * MEMBERS,
        "far apart": 1e12 * rng.random((8, 12)) + 1e14 * MEMBERS,
        "one far out": np.where(np.arange(12) == 3, 1e30, rng.random((8, 12))),
        "too far for whole steps": np.array([[1e6, 1e3, 0.1, 10, 1, 1, 100, 1, 1e-3, 1e-3, 1e3, 0.1]]),
        "subnormal": 1e-310 * rng.random((8, 12)),
    }[kind]
    members = np.arange(12) < (2 if kind == "too far for whole steps" else 5)
    slopes, intercepts = fit_logistic(values, members, np.ones(12))
    middle = values.mean(axis=1, keepdims=True)
    error = expit(values * slopes[:, None] + intercepts[:, None]) - members
    spread = np.maximum(values.std(axis=1), 1e-6)
    assert error.sum(axis=1) == pytest.approx(0, abs=1e-6)
    assert ((error * (values - middle)).sum(axis=1) + slopes) / spread == pytest.approx(0, abs=1e-6)


def test_chosen_examples_are_distinct_sorted_and_always_the_same() -> None:
    chosen = choose(100, 30)
    assert len(set(chosen.tolist())) == 30 and (np.diff(chosen) > 0).all() and chosen[0] >= 0 and chosen[-1] < 100
    assert chosen.tolist() == choose(100, 30).tolist()
    assert choose(4, 30).tolist() == [0, 1, 2, 3]
