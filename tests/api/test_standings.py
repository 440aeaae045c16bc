"""Ranks, tie groups and time ratios, against a naive model."""

import random
from datetime import UTC, datetime, timedelta
from math import sqrt
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.leaderboard.standings import Line, Unranked, standings
from services.api.leaderboard.ties import Estimate, are_separated, tie_groups
from services.core.models import Reference

START = datetime(2026, 11, 1, tzinfo=UTC)
estimates = st.builds(
    lambda value, low, high: Estimate(value, value - low, value + high),
    st.integers(0, 40).map(lambda n: n / 40),
    st.integers(0, 10).map(lambda n: n / 40),
    st.integers(0, 10).map(lambda n: n / 40),
)


def interval(value: float, margin: float) -> Estimate:
    return Estimate(value, value - margin, value + margin)


def naive_groups(board: list[Estimate]) -> list[int]:
    """Follow the definition word by word."""
    groups: list[int] = []
    for position, estimate in enumerate(board):
        group = None
        for above in range(position):
            if not are_separated(board[above], estimate):
                group = groups[above]
                break
        groups.append(len(set(groups)) + 1 if group is None else group)
    return groups


@given(board=st.lists(estimates, max_size=30))
def test_tie_groups_are_those_of_the_definition(board: list[Estimate]) -> None:
    board.sort(key=lambda estimate: -estimate.value)

    assert tie_groups(board) == naive_groups(board)


def test_separation_is_a_two_sided_test_at_five_percent() -> None:
    """1.96 sqrt(se1^2 + se2^2) with standard errors of 0.03 and 0.04 is 0.098."""
    one, other = 1.96 * 0.03, 1.96 * 0.04
    assert 1.96 * sqrt(0.03**2 + 0.04**2) == pytest.approx(0.098)

    assert are_separated(interval(0.5, one), interval(0.5 + 0.0981, other))
    assert not are_separated(interval(0.5, one), interval(0.5 + 0.0979, other))


def test_equal_scores_without_noise_are_tied_and_others_are_not() -> None:
    assert tie_groups([interval(0.2, 0), interval(0.2, 0), interval(0.1, 0)]) == [1, 1, 2]


def test_an_entry_joins_the_highest_that_it_is_not_separated_from() -> None:
    """A wide interval low on the board reaches the top, past a narrow one between them."""
    board = [interval(0.50, 0.01), interval(0.40, 0.01), interval(0.35, 0.20)]

    assert tie_groups(board) == [1, 2, 1]


def line(number: int, score: float, *, reference: Reference = Reference.NONE, run_s: float = 1.0) -> Line:
    moment = START + timedelta(minutes=number)
    return Line(UUID(int=number), reference, interval(score, 0.001), run_s, moment, moment)


def test_references_and_slow_entries_stand_unranked_between_the_others() -> None:
    board = [
        line(1, 0.9, reference=Reference.RETRAIN, run_s=10.0),
        line(2, 0.8, run_s=2.0),
        line(3, 0.7, run_s=2.1),
        line(4, 0.6, run_s=0.1),
        line(5, 0.1, reference=Reference.IDENTITY, run_s=0.0),
    ]

    found = standings(board, max_time_ratio=0.2)

    assert [one.rank for one in found] == [None, 1, None, 2, None]
    assert [one.tie_group for one in found] == [None, 1, None, 2, None]
    assert [one.unranked for one in found] == [
        Unranked.REFERENCE,
        None,
        Unranked.TOO_SLOW,
        None,
        Unranked.REFERENCE,
    ]
    assert [one.time_ratio for one in found] == pytest.approx([1.0, 0.2, 0.21, 0.01, 0.0])


def test_without_a_retraining_reference_nothing_is_too_slow() -> None:
    for board in ([line(1, 0.5, run_s=1e9)], [line(1, 0.5, run_s=1e9), line(2, 0.1, reference=Reference.IDENTITY)]):
        found = standings(board, max_time_ratio=0.2)
        assert (found[0].rank, found[0].time_ratio) == (1, None)


def test_the_newest_retraining_reference_counts() -> None:
    board = [
        line(1, 0.9, reference=Reference.RETRAIN, run_s=10.0),
        line(9, 0.8, reference=Reference.RETRAIN, run_s=5.0),
        line(3, 0.5, run_s=1.5),
    ]

    assert standings(board, max_time_ratio=0.2)[2].time_ratio == pytest.approx(0.3)


def test_a_retraining_reference_that_took_no_time_is_none() -> None:
    board = [line(1, 0.9, reference=Reference.RETRAIN, run_s=0.0), line(3, 0.5)]

    assert standings(board, max_time_ratio=0.2)[1].time_ratio is None


@given(seed=st.integers(0, 2**32))
def test_ranks_count_the_ranked_entries_above(seed: int) -> None:
    source = random.Random(seed)
    kinds = [Reference.NONE] * 6 + [Reference.RETRAIN, Reference.IDENTITY]
    board = [
        line(number, 1 - number / 50, reference=source.choice(kinds), run_s=source.uniform(0, 2))
        for number in range(30)
    ]

    found = standings(board, max_time_ratio=0.5)

    for position, one in enumerate(found):
        above = sum(other.rank is not None for other in found[:position])
        assert one.rank == (None if one.unranked else above + 1)
        assert (one.tie_group is None) == (one.rank is None)
