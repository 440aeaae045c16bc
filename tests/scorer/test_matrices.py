"""Ranks in a matrix: on each benchmark those of the paired test, over all of them the mean, by definition."""

from datetime import UTC, datetime
from statistics import fmean
from uuid import UUID

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.core.board.order import Submitted
from services.core.board.paired import LEVEL
from services.core.models import MatrixRun, Reference, Score, Submission
from services.scorer.matrices import rank
from services.scorer.standings.ranking import BoardLine, standings

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
FLAG = "too_few_effective_models"


def matrix(
    entries: int, columns: int, seed: int, missing: set[int], flagged: set[int]
) -> tuple[list[MatrixRun], dict[UUID, Score]]:
    """Make the runs of a matrix and their scores; some runs, by their numbers, have none, and some carry a flag."""
    random = np.random.default_rng(seed)
    runs, scores = [], {}
    for number in range(entries * columns):
        row, column = divmod(number, columns)
        evaluation, entry = UUID(int=1000 + number), UUID(int=row)
        submission = Submission(id=entry, created_at=WHEN, reference=Reference.RETRAIN)
        runs.append(
            MatrixRun(row=row, column=column, submission_id=entry, submission=submission, evaluation_id=evaluation)
        )
        if number not in missing:
            scores[evaluation] = Score(
                final_score=float(random.uniform(0.1, 0.5)),
                halves=[[float(a), float(b)] for a, b in random.normal(0.3, 0.03, (16, 2))],
                run_s=1.0,
                flags=[FLAG] if number in flagged else [],
            )
    return runs, scores


@settings(deadline=None)  # the first call compiles the paired test
@given(
    entries=st.integers(1, 6),
    columns=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
    missing=st.sets(st.integers(0, 23), max_size=3),
    flagged=st.sets(st.integers(0, 23), max_size=2),
)
def test_places_are_those_of_each_benchmark_and_the_mean_is_over_all(
    entries: int, columns: int, seed: int, missing: set[int], flagged: set[int]
) -> None:
    """An interval misses its rank with 0.05 / benchmarks, so that all hold together. A reference row is an entry."""
    runs, scores = matrix(entries, columns, seed, missing, flagged)

    rows = {one.row: one for one in rank(runs, scores)}

    assert sorted(one.position for one in rows.values()) == list(range(1, entries + 1))
    expected: dict[int, list[tuple[int, int, int] | None]] = {row: [] for row in rows}
    for column in range(columns):
        there = [run for run in runs if run.column == column and run.evaluation_id in scores]
        there.sort(key=lambda run: (-scores[run.evaluation_id].final_score, run.submission_id))
        lines = [
            BoardLine(
                Reference.NONE,
                scores[run.evaluation_id].final_score,
                [one - other for one, other in scores[run.evaluation_id].halves],
                1.0,
                Submitted(WHEN, run.submission_id),
                scores[run.evaluation_id].flags,
            )
            for run in there
        ]
        for run, found in zip(there, standings(lines, 1.0, level=LEVEL / columns), strict=True):
            place = next(one for one in rows[run.row].places if one.column == column)
            interval = found.rank_interval
            assert (place.rank, place.rank_best, place.rank_worst) == (
                found.rank,
                interval and interval.best,
                interval and interval.worst,
            )
            if found.rank is None or interval is None:
                expected[run.row].append(None)
            else:
                expected[run.row].append((found.rank, interval.best, interval.worst))
    for row, places in expected.items():
        known = [one for one in places if one is not None]
        shown = rows[row].mean_rank, rows[row].mean_low, rows[row].mean_high
        whole = len(known) == columns
        assert shown == (tuple(map(fmean, zip(*known, strict=True))) if whole else (None, None, None))
        assert (rows[row].rank is None) is not whole
