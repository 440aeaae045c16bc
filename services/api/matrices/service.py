"""Finds matrices, and puts their tables together: scores as they are, ranks as the scorer computed them last."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import case, distinct, func, select
from sqlalchemy.orm import joinedload

from services.api.competitions.finding import find_benchmark
from services.api.matrices.schemas import MatrixBenchmarkOut, MatrixCellOut, MatrixDetail, MatrixEntryOut, MatrixOut
from services.core.errors import BadInput, NotFound
from services.core.matrices.acts import MatrixEntry
from services.core.models import (
    BenchmarkRow,
    Competition,
    Evaluation,
    Matrix,
    MatrixRun,
    Phase,
    Submission,
)
from services.core.models.stored import MatrixPlace, MatrixRow
from services.core.store.database import ReadSession

__all__ = ["benchmarks_named", "entries_named", "find_matrix", "show", "show_all"]

NO_ROW = MatrixRow(row=0, position=0, rank=None, mean_rank=None, mean_low=None, mean_high=None, places=[])


def find_matrix(session: ReadSession, competition: Competition, matrix_id: UUID) -> Matrix:
    """Find a matrix of a competition. Raises NotFound."""
    found = session.get(Matrix, matrix_id, options=[joinedload(Matrix.phase)])
    if found is None or found.competition_id != competition.id:
        raise NotFound(f"{competition.slug!r} has no matrix {matrix_id}. `lethe matrix list` shows them.")
    return found


def entries_named(session: ReadSession, phase: Phase, ids: Sequence[UUID]) -> list[Submission]:
    """Find submissions in the order in which they were named. Raises MatrixEntry."""
    if len(set(ids)) < len(ids):
        raise MatrixEntry("Two of the entries are the same. Name each of them once.")
    statement = select(Submission).options(joinedload(Submission.evaluation).selectinload(Evaluation.scores))
    found = {one.id: one for one in session.scalars(statement.where(Submission.id.in_(ids)))}
    missing = [one for one in ids if one not in found or found[one].phase.competition_id != phase.competition_id]
    if missing:
        raise MatrixEntry(f"There is no submission {missing[0]} in this competition. Check the ids of the entries.")
    return [found[one] for one in ids]


def benchmarks_named(session: ReadSession, names: Sequence[str]) -> list[BenchmarkRow]:
    """Find published benchmarks. Raises BenchmarkNotPublished, or BadInput if two are the same."""
    found = [find_benchmark(session, name) for name in names]
    if len({one.id for one in found}) < len(found):
        raise BadInput("Two of the benchmarks are the same. Name each of them once.")
    return found


def show_all(session: ReadSession, matrices: Collection[Matrix]) -> list[MatrixOut]:
    """Make the JSON forms of some matrices without their tables."""
    ids = [one.id for one in matrices]
    ended = func.sum(case((Evaluation.has_ended, 1), else_=0))
    counts = (
        select(MatrixRun.matrix_id, func.count(), func.count(distinct(MatrixRun.row)), ended)
        .join(Evaluation, Evaluation.id == MatrixRun.evaluation_id)
        .where(MatrixRun.matrix_id.in_(ids))
        .group_by(MatrixRun.matrix_id)
    )
    counted = {row[0]: row[1:] for row in session.execute(counts)}
    named = (
        select(MatrixRun.matrix_id, BenchmarkRow.name)
        .join(BenchmarkRow, BenchmarkRow.id == MatrixRun.benchmark_id)
        .where(MatrixRun.matrix_id.in_(ids), MatrixRun.row == 0)
        .order_by(MatrixRun.column)
    )
    names: dict[UUID, list[str]] = {one: [] for one in ids}
    for matrix_id, name in session.execute(named):
        names[matrix_id].append(name)
    return [
        MatrixOut(
            id=one.id,
            title=one.title,
            phase=one.phase.slug,
            seeds=one.seeds,
            entries=counted[one.id][1],
            benchmarks=names[one.id],
            runs=counted[one.id][0],
            ended=int(counted[one.id][2]),
            settled_at=one.settled_at,
            cancelled_at=one.cancelled_at,
            created_at=one.created_at,
        )
        for one in matrices
    ]


def show(session: ReadSession, matrix: Matrix) -> MatrixDetail:
    """Make the whole table of a matrix."""
    statement = (
        select(MatrixRun)
        .options(
            joinedload(MatrixRun.submission).joinedload(Submission.team),
            joinedload(MatrixRun.benchmark),
            joinedload(MatrixRun.evaluation).selectinload(Evaluation.scores),
        )
        .where(MatrixRun.matrix_id == matrix.id)
        .order_by(MatrixRun.row, MatrixRun.column)
    )
    rows: dict[int, list[MatrixRun]] = {}
    for run in session.scalars(statement):
        rows.setdefault(run.row, []).append(run)
    result = matrix.result
    metric = result.metric if result else matrix.phase.metric
    ranked = {one.row: one for one in result.rows} if result else {}
    order = sorted(rows, key=lambda row: ranked[row].position if row in ranked else row)
    scored = {run.evaluation_id for runs in rows.values() for run in runs if run.evaluation.score_by(metric)}
    return MatrixDetail(
        **show_all(session, [matrix])[0].model_dump(),
        metric=metric,
        behind=scored != set(result.scored if result else ()),
        columns=[MatrixBenchmarkOut(name=run.benchmark.name, digest=run.benchmark.digest) for run in rows[0]],
        items=[_entry(rows[row], ranked.get(row, NO_ROW), metric) for row in order],
    )


def _entry(runs: Sequence[MatrixRun], ranked: MatrixRow, metric: str) -> MatrixEntryOut:
    submission = runs[0].submission
    places = {one.column: one for one in ranked.places}
    return MatrixEntryOut(
        submission_id=submission.id,
        name=submission.name,
        team=submission.team.name,
        rank=ranked.rank,
        mean_rank=ranked.mean_rank,
        mean_low=ranked.mean_low,
        mean_high=ranked.mean_high,
        cells=[_cell(run, places.get(run.column), metric) for run in runs],
    )


def _cell(run: MatrixRun, place: MatrixPlace | None, metric: str) -> MatrixCellOut:
    evaluation = run.evaluation
    score = evaluation.score_by(metric)
    return MatrixCellOut(
        benchmark=run.benchmark.name,
        evaluation_id=evaluation.id,
        state=evaluation.shown_state,
        failure_kind=evaluation.failure_kind,
        failure=evaluation.failure_message,
        rank=place and place.rank,
        rank_best=place and place.rank_best,
        rank_worst=place and place.rank_worst,
        final_score=score and score.final_score,
        ci_low=score and score.ci_low,
        ci_high=score and score.ci_high,
        forgetting_quality=score and score.forgetting_quality,
        utility=score and score.utility,
        run_s=score and score.run_s,
        flags=score.flags if score else [],
    )
