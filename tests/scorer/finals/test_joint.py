"""The joint board: the mean of ranks, its interval, and the order, by definition."""

from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import fmean
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.core.board.order import Submitted
from services.core.board.paired import LEVEL
from services.core.models import Reference
from services.core.models.stored import JointPlace
from services.scorer.finals.joint import TeamPlaces, order_jointly
from services.scorer.standings.ranking import BoardLine, standings

BENCHMARKS = 3
RANKS = st.one_of(st.none(), st.tuples(st.integers(1, 9), st.integers(0, 3), st.integers(0, 3)))
TEAMS = st.lists(st.lists(RANKS, min_size=1, max_size=BENCHMARKS), max_size=6)


def team(number: int, ranks: Sequence[tuple[int, int, int] | None]) -> TeamPlaces:
    its_id = UUID(int=number)
    places = [
        JointPlace(
            phase=f"final-{place}",
            rank=rank and rank[0],
            rank_best=rank and rank[0] - rank[1],
            rank_worst=rank and rank[0] + rank[2],
            final_score=0.5,
            submission_id=its_id,
        )
        for place, rank in enumerate(ranks)
    ]
    return TeamPlaces(its_id, Submitted(datetime(2026, 1, 1, 0, number, tzinfo=UTC), its_id), places)


@given(TEAMS)
def test_teams_are_ordered_by_the_mean_of_their_ranks(ranks: list[list[tuple[int, int, int] | None]]) -> None:
    teams = {one.team_id: one for one in (team(number, of) for number, of in enumerate(ranks))}

    rows = order_jointly(teams, benchmarks=BENCHMARKS)

    assert sorted(row.team_id.int for row in rows) == list(range(len(ranks)))
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    ranked = [row for row in rows if row.rank is not None]
    assert rows[: len(ranked)] == ranked
    for row in rows:
        own = [rank for rank in ranks[row.team_id.int] if rank is not None]
        if len(own) < BENCHMARKS:
            assert (row.rank, row.mean_rank, row.mean_low, row.mean_high) == (None, None, None, None)
            continue
        assert row.mean_rank == fmean(rank for rank, _, _ in own)
        assert row.mean_low == fmean(rank - up for rank, up, _ in own)
        assert row.mean_high == fmean(rank + down for rank, _, down in own)
        assert row.rank == 1 + sum(other.mean_rank < row.mean_rank for other in ranked if other.mean_rank is not None)


def test_intervals_of_a_smaller_level_are_wider() -> None:
    random = np.random.default_rng(1)
    scores = np.sort(random.normal(0.5, 0.05, 40))[::-1]
    when = datetime(2026, 1, 1, tzinfo=UTC)
    gaps = random.normal(0, 0.03, (40, 16)).tolist()
    lines = [
        BoardLine(Reference.NONE, float(value), gap, 1.0, Submitted(when, UUID(int=place)))
        for place, (value, gap) in enumerate(zip(scores, gaps, strict=True))
    ]

    usual = [one.rank_interval for one in standings(lines, 1.0)]
    shared = [one.rank_interval for one in standings(lines, 1.0, level=LEVEL / BENCHMARKS)]

    for ours, theirs in zip(shared, usual, strict=True):
        assert ours and theirs
        assert ours.best <= theirs.best
        assert ours.worst >= theirs.worst
    assert shared != usual
