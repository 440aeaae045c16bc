"""The paired test, tie groups and rank intervals, against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.core.board.paired import HalvedScore, RankInterval, compare, rank_intervals, tie_groups
from tests.halves import halves_with_margin


def entry(value: float, margin: float, number: int) -> HalvedScore:
    return HalvedScore(value, halves_with_margin(value, margin, number))


entries = st.builds(
    HalvedScore,
    st.integers(0, 40).map(lambda n: n / 40),
    st.lists(st.tuples(st.floats(0, 1, width=32), st.floats(0, 1, width=32)).map(list), min_size=16, max_size=16),
)


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


def test_equal_scores_without_noise_are_tied_and_others_are_not() -> None:
    board = [entry(0.2, 0, 1), entry(0.2, 0, 2), entry(0.1, 0, 3)]

    assert tie_groups(board) == [1, 1, 2]
    assert compare(board[0], board[1]).p_better == 0.5
    assert compare(board[0], board[2]).p_better == 1.0


def test_an_entry_joins_the_highest_that_it_is_not_separated_from() -> None:
    """A noisy entry low on the board reaches the top, past a quiet one between them."""
    assert tie_groups([entry(0.50, 0.01, 1), entry(0.40, 0.01, 2), entry(0.35, 0.20, 3)]) == [1, 2, 1]


def test_an_empty_board_has_no_ties() -> None:
    assert (tie_groups([]), rank_intervals([])) == ([], [])
    assert rank_intervals([entry(0.5, 0.1, 1)]) == [RankInterval(1, 1)]


@given(board=st.lists(entries, max_size=12))
def test_tie_groups_are_those_of_the_definition(board: list[HalvedScore]) -> None:
    board.sort(key=lambda one: -one.final_score)
    groups: list[int] = []
    for position, one in enumerate(board):
        tied = [above for above in range(position) if not compare(board[above], one).separated]
        groups.append(groups[tied[0]] if tied else len(set(groups)) + 1)

    assert tie_groups(board) == groups


@given(board=st.lists(entries, min_size=1, max_size=12))
def test_rank_intervals_hold_the_rank_and_nobody_certainly_better(board: list[HalvedScore]) -> None:
    board.sort(key=lambda one: -one.final_score)
    factor = stats.t.ppf(1 - 0.025 / max(len(board) - 1, 1), 15)
    for rank, (one, interval) in enumerate(zip(board, rank_intervals(board), strict=True), start=1):
        beyond = [
            other.final_score - one.final_score
            for other in board
            if abs(one.final_score - other.final_score) > factor * _error(one, other)
        ]
        assert interval == RankInterval(1 + sum(b > 0 for b in beyond), len(board) - sum(b < 0 for b in beyond))
        assert interval.best <= rank <= interval.worst


def _error(one: HalvedScore, other: HalvedScore) -> float:
    """Half the mean square of the difference between the differences of both halves."""
    gaps = [(a[0] - b[0]) - (a[1] - b[1]) for a, b in zip(one.halves, other.halves, strict=True)]
    return float(np.sqrt(np.mean(np.square(gaps)) / 2))
