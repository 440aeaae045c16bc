"""Starting and cancelling a matrix. Each act is on record; callers check who may.

A run is an evaluation of the entry's own phase, with its limits, on another benchmark and with fresh seeds. No
submission points to it, so no pointer of a board ever moves for it, and its team does not see it.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from services.core.board.standings import lock_board
from services.core.bundle.manifest import Manifest, placebo_runs, require_oracle, robustness_of
from services.core.errors import BadInput, Conflict
from services.core.models import Act, BenchmarkRow, Evaluation, Matrix, MatrixRun, Phase, Submission, SubmissionKind
from services.core.queue.lifecycle import ENDED, cancel, lock_evaluation, queue_evaluation
from services.core.record.acts import record
from services.core.retention.deleting import require_code
from services.core.store.database import ReadSession, WriteSession, clock
from services.core.submission.notebook import require_notebooks

__all__ = ["MOST_RUNS", "MatrixEnded", "MatrixEntry", "MatrixTooLarge", "cancel_matrix", "runs_of", "start"]

MOST_RUNS = 100  # entries times benchmarks of one matrix, because one transaction queues them


class MatrixEntry(BadInput):
    """An entry that cannot be run in a matrix."""

    code = "matrix_entry"


class MatrixTooLarge(BadInput):
    code = "matrix_too_large"


class MatrixEnded(Conflict):
    code = "matrix_ended"


def start(
    session: WriteSession,
    phase: Phase,
    entries: Sequence[Submission],
    benchmarks: Sequence[BenchmarkRow],
    account_id: UUID,
    *,
    title: str,
    seeds: int,
) -> Matrix:
    """Queue each entry of a phase on each benchmark. Raises MatrixTooLarge, MatrixEntry, TooManyModels.

    Raises NotForNotebooks or NoRobustness if a benchmark lacks what the phase or an entry needs, and CodeDeleted.
    """
    if len(entries) * len(benchmarks) > MOST_RUNS:
        raise MatrixTooLarge(
            f"{len(entries)} entries on {len(benchmarks)} benchmarks are more than {MOST_RUNS} evaluations. Start "
            "several matrices."
        )
    for entry in entries:
        _require_runnable(phase, entry)
    for benchmark in benchmarks:
        _require_fit(phase, entries, benchmark, seeds)
    lock_board(session, phase)
    matrix = Matrix(
        competition_id=phase.competition_id, phase_id=phase.id, account_id=account_id, title=title, seeds=seeds
    )
    session.add(matrix)
    session.flush()
    for row, entry in enumerate(entries):
        for column, benchmark in enumerate(benchmarks):
            run = MatrixRun(
                matrix_id=matrix.id,
                row=row,
                column=column,
                submission_id=entry.id,
                benchmark_id=benchmark.id,
                evaluation_id=_queue(session, matrix, entry, benchmark).id,
            )
            session.add(run)
    session.flush()
    details = {
        "phase": phase.slug,
        "entries": [str(one.id) for one in entries],
        "benchmarks": [one.digest for one in benchmarks],
        "seeds": seeds,
    }
    _record(session, Act.MATRIX_STARTED, matrix, account_id, **details)
    return matrix


def cancel_matrix(session: WriteSession, matrix: Matrix, account_id: UUID) -> None:
    """Stop the runs of a matrix that have not ended; what is scored stays. Raises MatrixEnded."""
    lock_board(session, matrix.phase)
    session.refresh(matrix)
    stopped = 0
    for run in sorted(runs_of(session, matrix), key=lambda one: one.evaluation_id):
        evaluation = lock_evaluation(session, run.evaluation_id)
        if evaluation.state not in ENDED:
            cancel(session, evaluation)
            stopped += 1
    if not stopped:
        raise MatrixEnded("All runs of this matrix have ended; there is nothing to cancel.")
    matrix.cancelled_at = clock(session)
    _record(session, Act.MATRIX_CANCELLED, matrix, account_id, stopped=stopped)


def runs_of(session: ReadSession, matrix: Matrix) -> list[MatrixRun]:
    """List the runs of a matrix, row by row."""
    statement = select(MatrixRun).where(MatrixRun.matrix_id == matrix.id)
    loaded = statement.options(joinedload(MatrixRun.evaluation), joinedload(MatrixRun.submission))
    return list(session.scalars(loaded.order_by(MatrixRun.row, MatrixRun.column)))


def _require_runnable(phase: Phase, entry: Submission) -> None:
    require_code(entry)
    if entry.phase_id != phase.id:
        raise MatrixEntry(
            f"Submission {entry.id} is not of phase {phase.slug!r}. All entries of a matrix are of one phase."
        )
    if not entry.evaluation.is_scored:
        raise MatrixEntry(
            f"Submission {entry.name!r} is {entry.evaluation.shown_state}, not scored. Choose another one."
        )


def _require_fit(phase: Phase, entries: Sequence[Submission], benchmark: BenchmarkRow, seeds: int) -> None:
    require_oracle(seeds, benchmark.manifest["oracle_seeds"])
    if any(one.kind is SubmissionKind.NOTEBOOK for one in entries):
        require_notebooks(Manifest.model_validate(benchmark.manifest))
    if phase.robustness:
        robustness_of(Manifest.model_validate(benchmark.manifest))
    if phase.placebo_audit:
        placebo_runs(Manifest.model_validate(benchmark.manifest), seeds)


def _queue(session: WriteSession, matrix: Matrix, entry: Submission, benchmark: BenchmarkRow) -> Evaluation:
    notebook = entry.kind is SubmissionKind.NOTEBOOK
    return queue_evaluation(
        session, entry.phase, entry.blob, notebook=notebook, benchmark_id=benchmark.id, seeds=matrix.seeds
    )


def _record(session: WriteSession, act: Act, matrix: Matrix, account_id: UUID, **details: object) -> None:
    own = {"matrix": str(matrix.id), **details}
    record(session, act, competition_id=matrix.competition_id, account_id=account_id, details=own)
