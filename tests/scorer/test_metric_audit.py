"""What is proven and what is estimated of epsilon, against the textbook and against known truths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from services.scorer.metrics.bounds import ALPHA, DELTA, certified_bounds, largest_certifiable
from services.scorer.metrics.gaussian import fits_gaussian, gaussian_epsilons, hockey_stick, normal_epsilons


def clopper_pearson(count: int, trials: int, level: float) -> tuple[float, float]:
    """The textbook's one-sided bounds, through scipy's own implementation."""
    test = stats.binomtest(count, trials)
    interval = test.proportion_ci(1 - 2 * level, method="exact")
    return float(interval.low), float(interval.high)


def test_the_largest_certifiable_value_is_that_of_no_error_at_all() -> None:
    """256 test models a side, all on their own side of the threshold, 16 claims: (1 - delta - u) / u, u by hand."""
    rate = 1 - (ALPHA / 16 / 2) ** (1 / 256)

    assert largest_certifiable(512, 512, 16) == pytest.approx(np.log((1 - DELTA - rate) / rate))
    assert largest_certifiable(512, 512, 0) == 0.0


def test_separated_sides_prove_the_largest_certifiable_value() -> None:
    rng = np.random.default_rng(0)
    bounds, claims = certified_bounds(rng.normal(20, 1, (64, 3)), rng.normal(size=(64, 3)))

    assert claims == 3
    np.testing.assert_allclose(bounds, largest_certifiable(64, 64, 3))


def test_a_bound_is_what_the_second_half_says_of_the_first_halfs_set() -> None:
    """Half 1 separates at 0; half 2 has 3 unlearned and 1 retrained model on the wrong side."""
    unlearned, oracle = np.ones((40, 1)), -np.ones((40, 1))
    unlearned[[1, 3, 5]], oracle[[1]] = -1, 1
    bounds, _ = certified_bounds(unlearned, oracle)
    level = ALPHA / 2
    p_low, q_high = clopper_pearson(17, 20, level)[0], clopper_pearson(1, 20, level)[1]
    by_hand = max(np.log((p_low - DELTA) / q_high), np.log((1 - DELTA - q_high) / (1 - p_low)))

    assert bounds[0] == pytest.approx(by_hand)


def test_sets_between_two_thresholds_are_found() -> None:
    """Unlearned models lie in the middle, retrained ones on both sides: no single threshold tells them apart."""
    rng = np.random.default_rng(0)
    unlearned = rng.normal(0, 0.1, (128, 1))
    oracle = rng.choice([-3.0, 3.0], (128, 1)) + rng.normal(0, 0.1, (128, 1))

    for one, other in ((unlearned, oracle), (oracle, unlearned)):
        assert certified_bounds(one, other)[0][0] == pytest.approx(largest_certifiable(128, 128, 1))


def test_bounds_hold_at_no_difference_and_at_a_known_one() -> None:
    """At 5 % at most 1 in 20 evaluations may claim too much; of 60, 8 or more would happen once in 100."""
    rng = np.random.default_rng(5)
    for shift, true in ((0.0, 0.0), (0.5, 1.99)):
        wrong = 0
        for _ in range(60):
            bounds, _ = certified_bounds(rng.normal(shift, 1, (64, 12)), rng.normal(size=(64, 12)))
            wrong += bool((bounds > true).any())
        assert wrong < 8


def test_one_model_proves_nothing() -> None:
    bounds, claims = certified_bounds(np.zeros((1, 4)), np.ones((5, 4)))

    assert (bounds.tolist(), claims) == ([0.0] * 4, 0)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), models=st.integers(2, 40), other=st.integers(2, 40))
def test_bounds_are_never_below_zero_nor_above_the_largest(seed: int, models: int, other: int) -> None:
    rng = np.random.default_rng(seed)
    bounds, claims = certified_bounds(
        np.round(rng.normal(rng.normal(), 1, (models, 20)), 1), rng.normal(size=(other, 20))
    )

    assert claims == 16
    assert np.count_nonzero(bounds) <= claims
    assert (bounds >= 0).all()
    assert (bounds <= largest_certifiable(models, other, claims) + 1e-12).all()


@pytest.mark.parametrize(("shift", "epsilon"), [(0.0, 0.0), (0.5, 0.92), (1.0, 2.32), (2.0, 6.0)])
def test_gaussian_epsilon_of_a_shift_is_the_published_one(shift: float, epsilon: float) -> None:
    """Gaussian differential privacy, delta = 0.01: the figures of the survey that the project started from."""
    zero, one = np.zeros(1), np.ones(1)

    assert normal_epsilons(zero + shift, one, zero, one)[0] == pytest.approx(epsilon, abs=0.005)
    assert normal_epsilons(zero, 3 * one, zero - 3 * shift, 3 * one)[0] == pytest.approx(epsilon, abs=0.005)


@settings(max_examples=40, deadline=None)
@given(mean=st.floats(-3, 3), sd=st.floats(0.3, 3), epsilon=st.floats(0, 4))
def test_hockey_stick_is_the_integral_of_its_definition(mean: float, sd: float, epsilon: float) -> None:
    places = np.linspace(-20, 20, 8_001)
    excess = stats.norm.pdf(places, mean, sd) - np.exp(epsilon) * stats.norm.pdf(places)
    by_definition = integrate.trapezoid(np.maximum(excess, 0.0), places)
    found = hockey_stick(np.array([epsilon]), np.array([mean]), np.array([sd]))[0]

    assert found == pytest.approx(by_definition, abs=2e-3)


def test_gaussian_epsilon_is_that_of_the_worse_direction() -> None:
    one, other = (np.zeros(1), np.ones(1)), (np.zeros(1), np.full(1, 2.0))

    assert normal_epsilons(*one, *other) == normal_epsilons(*other, *one)


def test_constants_are_separated_unless_they_agree() -> None:
    same, apart = np.ones((8, 1)), np.zeros((8, 1))

    assert gaussian_epsilons(same, same)[0] == 0.0
    assert gaussian_epsilons(same, apart)[0] == 50.0


def test_gaussian_epsilon_estimates_the_truth() -> None:
    rng = np.random.default_rng(0)
    found = gaussian_epsilons(rng.normal(1, 1, (512, 300)), rng.normal(size=(512, 300)))

    assert found.mean() == pytest.approx(2.32, abs=0.4)


def test_what_is_not_gaussian_fails_the_fit() -> None:
    rng = np.random.default_rng(0)
    normal, skewed = rng.normal(size=(512, 200)), rng.exponential(size=(512, 200))

    assert fits_gaussian(normal, normal[::-1]).mean() > 0.95
    assert not fits_gaussian(normal, skewed).any()
    assert not fits_gaussian(normal, np.ones((512, 200))).any()
    assert not fits_gaussian(normal[:8], normal[:8]).any()
