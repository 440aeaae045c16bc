"""Ranks, tie groups, rank intervals and time ratios of a board."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.board.order import Submitted
from services.core.models import Reference, Unranked
from services.scorer.standings.ranking import BoardLine, RankInterval, standings
from tests.halves import halves_with_margin

START = datetime(2026, 11, 1, tzinfo=UTC)


def line(
    number: int,
    score: float,
    *,
    reference: Reference = Reference.NONE,
    run_s: float = 1.0,
    margin: float = 0.001,
    flags: tuple[str, ...] = (),
    minutes: int | None = None,
) -> BoardLine:
    """Make a line that was submitted so many minutes after the start; ids and moments need not grow together."""
    submitted = Submitted(START + timedelta(minutes=number if minutes is None else minutes), UUID(int=number))
    gaps = [one - other for one, other in halves_with_margin(score, margin, number)]
    return BoardLine(reference, score, gaps, run_s, submitted, flags)


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
    assert [one.time_ratio.value for one in found] == pytest.approx([1.0, 0.2, 0.21, 0.01, 0.0])


def test_a_board_that_has_no_entry_any_more_has_no_standing() -> None:
    assert standings([], max_time_ratio=0.2) == []


def test_entries_of_near_duplicates_stand_unranked() -> None:
    board = [line(1, 0.9, flags=("too_few_effective_models",)), line(2, 0.8, flags=("gaussian_doubtful",))]

    found = standings(board, max_time_ratio=0.2)

    assert [(one.rank, one.unranked) for one in found] == [(None, Unranked.TOO_FEW_MODELS), (1, None)]


def test_rank_intervals_and_ties_speak_of_ranked_entries_alone() -> None:
    board = [
        line(1, 0.9, reference=Reference.RETRAIN),
        line(2, 0.50, margin=0.1),
        line(3, 0.49, margin=0.1),
        line(4, 0.1, margin=0.01),
    ]

    found = standings(board, max_time_ratio=2.0)

    assert [one.rank_interval for one in found] == [
        None,
        RankInterval(1, 2),
        RankInterval(1, 2),
        RankInterval(3, 3),
    ]
    assert [one.tie_group for one in found] == [None, 1, 1, 2]


def test_without_a_retraining_reference_nothing_is_too_slow() -> None:
    for board in ([line(1, 0.5, run_s=1e9)], [line(1, 0.5, run_s=1e9), line(2, 0.1, reference=Reference.IDENTITY)]):
        found = standings(board, max_time_ratio=0.2)
        assert (found[0].rank, found[0].time_ratio.value) == (1, None)


@pytest.mark.parametrize("fastest_id", [1, 9])
@pytest.mark.parametrize("fastest_minutes", [1, 9])
def test_the_fastest_retraining_counts(fastest_id: int, fastest_minutes: int) -> None:
    """Whichever has the greater id, and whichever was submitted last."""
    fastest = line(fastest_id, 0.85, reference=Reference.RETRAIN, run_s=5.0, minutes=fastest_minutes)
    slower = line(10 - fastest_id, 0.9, reference=Reference.RETRAIN, run_s=10.0, minutes=5)

    board = [slower, fastest, line(5, 0.5, run_s=1.5)]

    assert standings(board, max_time_ratio=0.2)[2].time_ratio.value == pytest.approx(0.3)


@pytest.mark.parametrize("reference", [one for one in Reference if one is not Reference.RETRAIN])
def test_only_full_retrainings_are_compared_with(reference: Reference) -> None:
    board = [line(1, 0.9, reference=Reference.RETRAIN, run_s=8.0), line(2, 0.5, reference=reference, run_s=1.0)]

    assert standings(board, max_time_ratio=1.0)[0].time_ratio.value == 1.0


def test_a_board_shows_the_better_score_then_the_earlier_submission_then_the_smaller_id() -> None:
    board = [line(3, 0.5, minutes=3), line(1, 0.5, minutes=3), line(4, 0.5, minutes=2), line(2, 0.6, minutes=9)]

    shown = [one.submitted.submission_id.int for one in sorted(board, key=lambda one: one.place)]

    assert shown == [2, 4, 1, 3]


def test_a_retraining_reference_that_took_no_time_is_none() -> None:
    board = [line(1, 0.9, reference=Reference.RETRAIN, run_s=0.0), line(3, 0.5)]

    assert standings(board, max_time_ratio=0.2)[1].time_ratio.value is None


def test_a_retraining_reference_that_took_no_time_hides_no_earlier_one() -> None:
    board = [line(2, 0.9, reference=Reference.RETRAIN, run_s=0.0), line(1, 0.8, reference=Reference.RETRAIN, run_s=4.0)]

    assert [one.time_ratio.value for one in standings(board, max_time_ratio=0.2)] == [0.0, 1.0]


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
