"""Intervals, halves and subjects, against hand computations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.scorer.metrics.card import Estimate
from services.scorer.metrics.uncertainty import (
    OFFSET,
    SPLITS,
    between_subjects,
    error_of_halves,
    half_points,
    interval,
    orders,
    product,
    subject_variance,
)


@given(value=st.floats(0, 1), error=st.floats(0, 1e3), freedom=st.integers(1, 15))
def test_intervals_are_finite_and_hold_their_value(value: float, error: float, freedom: int) -> None:
    found = interval(value, error, freedom=freedom, highest=5.5)

    assert 0 <= found.low <= found.value <= found.high <= 5.5


def test_interval_is_symmetric_in_the_logarithm_of_the_score_and_an_offset() -> None:
    found = interval(0.099, 0.01)
    reach = stats.t.ppf(0.975, SPLITS - 1) * 0.01 / 0.1

    assert np.log((found.high + OFFSET) / 0.1) == pytest.approx(reach)
    assert np.log(0.1 / (found.low + OFFSET)) == pytest.approx(reach)


def test_error_is_half_the_mean_square_difference_of_halves() -> None:
    assert error_of_halves(np.array([[1.0, 3.0], [2.0, 2.0]])) == pytest.approx(np.sqrt((4 + 0) / 2 / 2))


def test_halves_are_disjoint_and_the_oracles_do_not_depend_on_an_entry() -> None:
    mine, theirs = orders(9, 0), orders(9, 1)

    assert mine.shape == theirs.shape == (SPLITS, 9)
    assert all(sorted(order.tolist()) == list(range(9)) for order in (*mine, *theirs))
    assert not np.array_equal(mine, theirs)
    seen: list[np.ndarray] = []
    for unlearned in (np.zeros((6, 1)), np.ones((8, 1))):
        oracle = np.arange(5.0)[:, None]
        half_points(unlearned, oracle, lambda _, other: seen.append(other.ravel()) or np.zeros(1))  # type: ignore[func-returns-value]
    assert [half.tolist() for half in seen[: 2 * SPLITS]] == [half.tolist() for half in seen[2 * SPLITS :]]
    for one, other in zip(seen[::2], seen[1::2], strict=True):
        assert sorted([*one, *other]) == [0, 1, 2, 3, 4]


def test_one_model_has_no_halves() -> None:
    assert not half_points(np.zeros((1, 4)), np.zeros((9, 4)), lambda *_: np.ones(4)).any()


def test_variance_over_subjects_is_that_of_a_cluster_sample() -> None:
    """Three subjects with 2, 2 and 1 examples; deviations from the mean of 2 sum to -2, 2 and 0."""
    values, subjects = np.array([1.0, 1.0, 3.0, 3.0, 2.0]), np.array([7, 7, 9, 9, 4])

    assert subject_variance(values, subjects) == pytest.approx(3 / 2 * (4 + 4 + 0) / 25)


def test_variance_over_subjects_of_one_example_is_that_of_a_mean() -> None:
    values = np.random.default_rng(0).normal(size=40)

    assert subject_variance(values, np.arange(40)) == pytest.approx(values.var(ddof=1) / 40)


def test_noise_that_halves_show_is_not_counted_twice() -> None:
    """Examples that differ by their own noise alone: nothing is left to the choice of subjects, on average."""
    rng = np.random.default_rng(0)
    errors = [
        between_subjects(rng.normal(size=50), rng.normal(size=(SPLITS, 2, 50)), np.arange(50)) for _ in range(200)
    ]
    apart = between_subjects(np.repeat([0.0, 1.0], 25), np.zeros((SPLITS, 2, 50)), np.arange(50) // 5)

    assert np.mean(np.square(errors)) < 0.3 / 50
    assert apart == pytest.approx(np.sqrt(10 / 9 * 10 * 2.5**2 / 50**2))


def test_product_adds_distances_as_squares() -> None:
    found = product(Estimate(0.5, 0.2, 0.9), Estimate(0.8, 0.4, 1.0))

    assert found.value == pytest.approx(0.4)
    assert found.low == pytest.approx(0.4 - np.hypot(0.3 * 0.8, 0.4 * 0.5))
    assert found.high == pytest.approx(0.4 + np.hypot(0.4 * 0.8, 0.2 * 0.5))
