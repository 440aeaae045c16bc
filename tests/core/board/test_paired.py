"""The paired test of two entries."""

import numpy as np
import pytest
from scipy import stats

from services.core.board.paired import HalvedScore, compare
from tests.halves import halves_with_margin


def entry(value: float, margin: float, number: int) -> HalvedScore:
    return HalvedScore(value, halves_with_margin(value, margin, number))


def test_margins_of_independent_entries_add_as_squares() -> None:
    """Margins of 0.03 and 0.04 are one of 0.05."""
    found = compare(entry(0.5, 0.03, 1), entry(0.44, 0.04, 2))

    assert (found.difference, found.high - found.difference) == pytest.approx((0.06, 0.05))
    assert found.separated
    assert not compare(entry(0.5, 0.03, 1), entry(0.451, 0.04, 2)).separated


def test_what_two_entries_owe_to_one_oracle_falls_out() -> None:
    """Both move together from half to half, so the difference is exact however noisy each of them is."""
    found = compare(entry(0.5, 0.3, 1), entry(0.49, 0.3, 1))

    assert (found.low, found.high) == pytest.approx((0.01, 0.01))
    assert found.separated
    assert found.p_better == pytest.approx(1.0)


def test_probability_is_that_of_students_t() -> None:
    found = compare(entry(0.5, 0.03, 1), entry(0.48, 0.04, 2))

    assert found.p_better == pytest.approx(stats.t.cdf(0.02 / (0.05 / stats.t.ppf(0.975, 15)), 15))
    assert found.p_better_elsewhere is None


def test_other_subjects_make_a_lead_less_certain() -> None:
    """The lead comes from one subject of three: the cluster variance of a mean, by hand."""
    subjects = ([[3.0, 2.0], [1.0, 2.0], [1.0, 2.0]], [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]])
    one, other = (
        HalvedScore(sum(points for points, _ in own) / 6, halves_with_margin(0.5, 0.1, number), own)
        for number, own in enumerate(subjects)
    )
    found = compare(one, other)
    residuals = np.array([2, 0, 0]) - np.array([2, 2, 2]) * (2 / 6)
    variance = 3 / 2 * (residuals**2).sum() / 36
    error = np.sqrt(2 * (0.1 / stats.t.ppf(0.975, 15)) ** 2 + variance)

    assert found.p_better_elsewhere == pytest.approx(stats.t.cdf((2 / 6) / error, 2))
    assert (found.p_better_elsewhere or 1) < found.p_better


def test_scores_of_different_splits_are_not_compared() -> None:
    with pytest.raises(ValueError, match="different splits"):
        compare(entry(0.5, 0.1, 1), HalvedScore(0.4, [[0.4, 0.4]]))
