"""The ranks in matrices, computed anew whenever a run is scored.

On each benchmark the entries of a matrix are ranked among themselves, by the paired tests of boards; run times decide
nothing. Over all benchmarks they are ordered as on the joint board of a final: by mean rank, whose interval needs no
assumption on how errors hang together.
"""

import time
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import undefer

from services.core.board.order import Submitted
from services.core.board.paired import LEVEL
from services.core.matrices.acts import runs_of
from services.core.models import Matrix, MatrixRun, Reference, Score, State
from services.core.models.stored import JointPlace, MatrixPlace, MatrixResult, MatrixRow
from services.core.queue.lifecycle import ENDED
from services.core.store.database import ReadSession, clock
from services.scorer.finals.joint import TeamPlaces, order_jointly
from services.scorer.standings.ranking import BoardLine, standings
from services.scorer.stores import Stores

__all__ = ["Matrices", "rank"]

log = structlog.get_logger()
EVERY_S = 1.0  # at least, between two looks at one matrix
AGAIN_S = 15.0  # after a failure
NO_TIME_RULE = 1.0  # there is no reference in a matrix, so no run time is compared with anything


@dataclass(slots=True)
class Matrices:
    """The matrices that have not settled."""

    stores: Stores
    every_s: float = EVERY_S
    _again_at: dict[UUID, float] = field(default_factory=dict)

    def keep(self) -> int:
        """Rank what has been scored since; return how many matrices were ranked or settled."""
        with self.stores.database.read() as session:
            open_ones = list(session.scalars(select(Matrix.id).where(Matrix.settled_at.is_(None))))
        return sum(self._try(one) for one in open_ones)

    def _try(self, matrix_id: UUID) -> bool:
        if self._again_at.get(matrix_id, 0.0) > time.monotonic():
            return False
        self._again_at[matrix_id] = time.monotonic() + self.every_s
        try:
            return self._keep(matrix_id)
        except Exception:
            self._again_at[matrix_id] = time.monotonic() + AGAIN_S
            log.exception("matrix_failed", matrix=str(matrix_id), remedy="it is tried again")
            return False

    def _keep(self, matrix_id: UUID) -> bool:
        with self.stores.database.write() as session:
            matrix = session.get_one(Matrix, matrix_id, with_for_update=True)
            runs = runs_of(session, matrix)
            scores = _scores(session, matrix, runs)
            changed = matrix.result is None or set(matrix.result.scored) != scores.keys()
            if changed:
                rows = rank(runs, scores)
                metric = matrix.phase.metric
                matrix.result = MatrixResult(at=clock(session), metric=metric, scored=sorted(scores), rows=rows)
            if all(_is_over(run, scores) for run in runs):
                matrix.settled_at = clock(session)
            return changed or matrix.settled_at is not None


def rank(runs: Sequence[MatrixRun], scores: Mapping[UUID, Score]) -> list[MatrixRow]:
    """Rank the entries of a matrix on each benchmark and over all of them; scores come by evaluation."""
    columns: dict[int, list[MatrixRun]] = defaultdict(list)
    entries: dict[UUID, TeamPlaces] = {}
    rows: dict[UUID, int] = {}
    for run in runs:
        rows[run.submission_id] = run.row
        entries.setdefault(run.submission_id, TeamPlaces(run.submission_id, _submitted(run)))
        columns[run.column].append(run)
    for column, of in columns.items():
        for run, place in _ranked(column, of, scores, level=LEVEL / len(columns)):
            entries[run.submission_id].places.append(place)
    return [
        MatrixRow(
            row=rows[one.team_id],
            position=one.position,
            rank=one.rank,
            mean_rank=one.mean_rank,
            mean_low=one.mean_low,
            mean_high=one.mean_high,
            places=[
                MatrixPlace(column=int(place.phase), **place.model_dump(include={"rank", "rank_best", "rank_worst"}))
                for place in one.places
            ],
        )
        for one in order_jointly(entries, benchmarks=len(columns))
    ]


def _ranked(
    column: int, runs: Sequence[MatrixRun], scores: Mapping[UUID, Score], *, level: float
) -> list[tuple[MatrixRun, JointPlace]]:
    """Rank the scored runs of one benchmark, best first."""
    lines = [(run, _line(run, scores[run.evaluation_id])) for run in runs if run.evaluation_id in scores]
    lines.sort(key=lambda one: one[1].place)
    found = standings([line for _, line in lines], NO_TIME_RULE, level=level)
    return [
        (
            run,
            JointPlace(
                phase=str(column),
                rank=one.rank,
                rank_best=one.rank_interval and one.rank_interval.best,
                rank_worst=one.rank_interval and one.rank_interval.worst,
                final_score=line.final_score,
                submission_id=run.submission_id,
            ),
        )
        for (run, line), one in zip(lines, found, strict=True)
    ]


def _line(run: MatrixRun, score: Score) -> BoardLine:
    """An organiser's reference row is an entry like any other here."""
    gaps = array("d", score.gaps)
    return BoardLine(Reference.NONE, score.final_score, gaps, score.run_s, _submitted(run), score.flags)


def _submitted(run: MatrixRun) -> Submitted:
    return Submitted(run.submission.created_at, run.submission_id)


def _scores(session: ReadSession, matrix: Matrix, runs: Sequence[MatrixRun]) -> dict[UUID, Score]:
    wanted = (Score.evaluation_id.in_([run.evaluation_id for run in runs]), Score.metric == matrix.phase.metric)
    found = session.scalars(select(Score).options(undefer(Score.gaps)).where(*wanted))
    return {score.evaluation_id: score for score in found}


def _is_over(run: MatrixRun, scores: Mapping[UUID, Score]) -> bool:
    state = run.evaluation.state
    return state in ENDED and (state is not State.MEASURED or run.evaluation_id in scores)
