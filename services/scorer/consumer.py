"""The scorer: answers the doorbell by scoring every measured evaluation that has no score by its phase's metric."""

import threading
from collections.abc import Sequence
from uuid import UUID

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import func, select

from services.core import board
from services.core.blobs import Blobs
from services.core.bundle_store import materialise
from services.core.database import Database, ReadSession, WriteSession
from services.core.doorbell import Bell, Doorbell
from services.core.lifecycle import add_event, lock_evaluation
from services.core.measurements import Measurements
from services.core.models import Evaluation, MeasurementRow, Phase, Reference, Score, State, Submission, SubmissionKind
from services.core.settings import Settings
from services.core.submission_certificate import Claim
from services.scorer.rows import score_row
from services.scorer.scoring import Report, gather, score_by_all

__all__ = ["Scorer", "run_scorer"]

log = structlog.get_logger()
MAX_TRIES = 3


class Scorer:
    """Scores evaluations one after another."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.resolved_database_url)
        self.blobs = Blobs.from_settings(settings)
        self.doorbell = Doorbell(settings)
        self.stopping = threading.Event()
        self._tries: dict[UUID, int] = {}
        self._one_at_a_time = threading.Lock()

    def serve(self) -> int:
        """Score until nothing waits; return how many were scored."""
        scored = 0
        with self._one_at_a_time:
            while not self.stopping.is_set() and (evaluation_id := self._next()):
                scored += self._score(evaluation_id)
        return scored

    def sweep(self) -> None:
        if self._next():
            self.doorbell.ring(Bell.SCORE)

    def score(self, evaluation_id: UUID) -> bool:
        """Compute an evaluation's scores by all metrics, and publish that by its phase's.

        False when that was there already: doing this twice changes nothing.
        """
        with self.database.read() as session:
            evaluation = session.get_one(Evaluation, evaluation_id)
            metric = evaluation.phase.metric
            bundle = materialise(session, self.blobs, evaluation.benchmark.digest, self.settings.bundle_cache)
            blobs = _measurement_blobs(session, evaluation_id)
            run_s = _mean_run_s(session, evaluation_id)
            retrain_s = _retrain_s(session, evaluation.phase_id)
            kind, claim = _kind_and_claim(session, evaluation_id)
        unlearned = Measurements.stack([self.blobs.get(blob) for blob in blobs])
        evidence = gather(
            unlearned,
            bundle,
            run_s=run_s,
            retrain_s=retrain_s,
            independent=kind is not SubmissionKind.NOTEBOOK,
            claim=claim,
        )
        reports = score_by_all(metric, evidence)
        with self.database.write() as session:
            return _write(session, evaluation_id, reports, bundle.forget_subjects(), run_s)

    def _next(self) -> UUID | None:
        """Find the oldest measured evaluation without a score that has not failed too often in this process."""
        given_up = [evaluation for evaluation, tries in self._tries.items() if tries >= MAX_TRIES]
        with self.database.read() as session:
            return session.scalar(
                select(Evaluation.id)
                .join(Phase, Evaluation.phase_id == Phase.id)
                .outerjoin(Score, (Score.evaluation_id == Evaluation.id) & (Score.metric == Phase.metric))
                .where(
                    Evaluation.state == State.MEASURED,
                    Evaluation.dry_run.is_(False),
                    Score.id.is_(None),
                    Evaluation.id.not_in(given_up),
                )
                .order_by(Evaluation.finished_at)
                .limit(1)
            )

    def _score(self, evaluation_id: UUID) -> bool:
        try:
            scored = self.score(evaluation_id)
            log.info("scored", evaluation=str(evaluation_id))
            return scored
        except Exception:
            self._tries[evaluation_id] = self._tries.get(evaluation_id, 0) + 1
            log.exception("scoring_failed", evaluation=str(evaluation_id), tries=self._tries[evaluation_id])
            return False


def _measurement_blobs(session: ReadSession, evaluation_id: UUID) -> list[str]:
    statement = select(MeasurementRow.blob).where(MeasurementRow.evaluation_id == evaluation_id)
    return list(session.scalars(statement.order_by(MeasurementRow.seed)))


def _kind_and_claim(session: ReadSession, evaluation_id: UUID) -> tuple[SubmissionKind, Claim | None]:
    """All submissions of an evaluation are the same bytes, so one speaks for all."""
    statement = select(Submission.kind, Submission.claim).where(Submission.evaluation_id == evaluation_id).limit(1)
    kind, claim = session.execute(statement).one()
    return kind, None if claim is None else Claim.model_validate(claim)


def _mean_run_s(session: ReadSession, evaluation_id: UUID) -> float:
    statement = select(func.avg(MeasurementRow.run_s)).where(MeasurementRow.evaluation_id == evaluation_id)
    return float(session.scalars(statement).one())


def _retrain_s(session: ReadSession, phase_id: UUID) -> float | None:
    """Find the mean run time of the phase's newest retraining reference that was measured."""
    return session.scalar(
        select(func.avg(MeasurementRow.run_s))
        .join(Submission, Submission.evaluation_id == MeasurementRow.evaluation_id)
        .join(Evaluation, Evaluation.id == MeasurementRow.evaluation_id)
        .where(
            Submission.phase_id == phase_id,
            Submission.reference == Reference.RETRAIN,
            Evaluation.state == State.MEASURED,
        )
        .group_by(Submission.id, Submission.created_at)
        .order_by(Submission.created_at.desc())
        .limit(1)
    )


def _write(
    session: WriteSession,
    evaluation_id: UUID,
    reports: Sequence[Report],
    subjects: NDArray[np.int64] | None,
    run_s: float,
) -> bool:
    """Insert scores that are not there, point every submission of the evaluation at the first, and say so."""
    metric = reports[0].card.metric
    evaluation = lock_evaluation(session, evaluation_id)
    present = set(session.scalars(select(Score.metric).where(Score.evaluation_id == evaluation_id)))
    if metric in present:
        return False
    rows = [score_row(evaluation_id, report, subjects=subjects, run_s=run_s) for report in reports]
    session.add_all(row for row in rows if row.metric not in present)
    session.flush()
    score = rows[0]
    for submission in session.scalars(select(Submission).where(Submission.evaluation_id == evaluation_id)):
        board.publish(session, submission, score)
    add_event(session, evaluation, "scored", metric=metric, final_score=score.final_score)
    return True


def run_scorer(settings: Settings) -> None:
    """Score measured evaluations until asked to stop (SIGTERM or SIGINT)."""
    scorer = Scorer(settings)
    log.info("scorer_ready")
    try:
        scorer.doorbell.answer(
            Bell.SCORE,
            look=scorer.serve,
            sweep=scorer.sweep,
            sweep_every_s=settings.resolved_sweep_every_s,
            threads=1,
            stopping=scorer.stopping,
        )
    finally:
        scorer.database.dispose()
