"""Tie groups and rank intervals of whole boards, against their definitions pair by pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from services.core.board.paired import HalvedScore, compare
from services.scorer.standings import pairs
from tests.halves import halves_with_margin

Floats = NDArray[np.float64]


def entry(value: float, margin: float, number: int) -> HalvedScore:
    return HalvedScore(value, halves_with_margin(value, margin, number))


entries = st.builds(
    HalvedScore,
    st.integers(0, 40).map(lambda n: n / 40),
    st.lists(st.tuples(st.floats(0, 1, width=32), st.floats(0, 1, width=32)).map(list), min_size=16, max_size=16),
)


def arrays(board: list[HalvedScore]) -> tuple[Floats, Floats]:
    halves = np.array([one.halves for one in board], dtype=np.float64).reshape(len(board), 16, 2)
    return np.array([one.final_score for one in board]), halves[..., 0] - halves[..., 1]


def tie_groups(board: list[HalvedScore]) -> list[int]:
    found: list[int] = pairs.tie_groups(*arrays(board)).tolist()
    return found


def rank_intervals(board: list[HalvedScore]) -> list[tuple[int, int]]:
    found = pairs.rank_intervals(*arrays(board))
    return list(zip(found.best.tolist(), found.worst.tolist(), strict=True))


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
    assert rank_intervals([entry(0.5, 0.1, 1)]) == [(1, 1)]


@settings(deadline=None)  # the first example compiles
@given(board=st.lists(entries, max_size=12))
def test_tie_groups_are_those_of_the_definition(board: list[HalvedScore]) -> None:
    board.sort(key=lambda one: -one.final_score)
    groups: list[int] = []
    for position, one in enumerate(board):
        tied = [above for above in range(position) if not compare(board[above], one).separated]
        groups.append(groups[tied[0]] if tied else len(set(groups)) + 1)

    assert tie_groups(board) == groups


@settings(deadline=None)  # the first example compiles
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
        assert interval == (1 + sum(b > 0 for b in beyond), len(board) - sum(b < 0 for b in beyond))
        assert interval[0] <= rank <= interval[1]


def _error(one: HalvedScore, other: HalvedScore) -> float:
    """Half the mean square of the difference between the differences of both halves."""
    gaps = [(a[0] - b[0]) - (a[1] - b[1]) for a, b in zip(one.halves, other.halves, strict=True)]
    return float(np.sqrt(np.mean(np.square(gaps)) / 2))


@pytest.mark.parametrize("noise", [0.0005, 0.004, 0.03])
@pytest.mark.parametrize("splits", [3, 16])
def test_boards_of_many_teams_agree_with_a_table_of_all_pairs(noise: float, splits: int) -> None:
    """Many enough that blocks, bounds and several cores share the work; with some loud and some equal entries."""
    random = np.random.default_rng(17)
    scores = np.sort(np.round(random.beta(2, 5, 2500) * 0.3, 4))[::-1].copy()
    gaps = random.normal(size=(2500, splits)) * (noise * (0.2 + 5 * scores[:, None]))
    gaps[random.choice(2500, 20)] *= 50
    gaps[7] = gaps[1900] = np.nan
    differences = scores[:, None] - scores
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(np.square(gaps[:, None] - gaps).mean(axis=2) / 2)
        certain = np.abs(differences) > stats.t.ppf(1 - 0.025 / 2499, splits - 1) * errors
        apart = np.abs(differences) > stats.t.ppf(0.975, splits - 1) * errors

    found = pairs.rank_intervals(scores, gaps)
    groups: list[int] = []
    for row in range(2500):
        tied = np.flatnonzero(~apart[row, :row])
        groups.append(groups[tied[0]] if len(tied) else max(groups, default=0) + 1)

    assert found.best.tolist() == ((certain & (differences < 0)).sum(axis=1) + 1).tolist()
    assert found.worst.tolist() == (2500 - (certain & (differences > 0)).sum(axis=1)).tolist()
    assert pairs.tie_groups(scores, gaps).tolist() == groups
