"""The scorer: answers the doorbell by scoring every measured evaluation that has no score by its phase's metric.

It also prepares campaigns: the scores by another metric that an organiser asked for, which move no pointer. And when
nothing else waits, it tells how evaluations under way stand.
"""

import threading
from uuid import UUID

import structlog
from sqlalchemy import select

from services.core import board, campaigns
from services.core.blobs import Blobs
from services.core.database import Database, WriteSession
from services.core.doorbell import Bell, Doorbell
from services.core.lifecycle import add_event, lock_evaluation
from services.core.models import Campaign, Evaluation, Phase, Score, State, Submission
from services.core.settings import Settings
from services.scorer.judging import Judged, judge, judge_many, judge_so_far
from services.scorer.provisional import Due, find_due, tell
from services.scorer.rows import score_row

__all__ = ["Scorer", "run_scorer"]

log = structlog.get_logger()
MAX_TRIES = 3


class Scorer:
    """Scores evaluations one after another, and those of a campaign side by side."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.resolved_database_url)
        self.blobs = Blobs.from_settings(settings)
        self.doorbell = Doorbell(settings)
        self.stopping = threading.Event()
        self._tries: dict[UUID, int] = {}
        self._untold: set[Due] = set()
        self._one_at_a_time = threading.Lock()

    def serve(self) -> int:
        """Score until nothing waits; return how many were scored."""
        scored = 0
        with self._one_at_a_time:
            while not self.stopping.is_set() and (evaluation_id := self._next()):
                scored += self._score(evaluation_id)
            scored += self._prepare_campaigns()
            self._tell_provisional()
        return scored

    def sweep(self) -> None:
        """Ring where something waits, and see whether the new runs of a campaign have ended."""
        if self._settle_campaigns() or self._next() or self._due():
            self.doorbell.ring(Bell.SCORE)

    def score(self, evaluation_id: UUID) -> bool:
        """Compute an evaluation's scores by all metrics, and publish that by its phase's.

        False when that was there already: doing this twice changes nothing.
        """
        with self.database.read() as session:
            metric = session.get_one(Evaluation, evaluation_id).phase.metric
        judged = judge(self.database, self.blobs, self.settings, evaluation_id, metric)
        with self.database.write() as session:
            return _write(session, judged)

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

    def _due(self) -> list[Due]:
        """Find the provisional scores to tell, but for those that failed in this process."""
        with self.database.read() as session:
            return [due for due in find_due(session) if due not in self._untold]

    def _tell_provisional(self) -> None:
        """Tell provisional scores, until asked to stop or until a final one waits."""
        for due in self._due():
            if self.stopping.is_set() or self._next():
                return
            try:
                card = judge_so_far(
                    self.database, self.blobs, self.settings, due.evaluation_id, due.metric, models=due.models
                )
                with self.database.write() as session:
                    tell(session, due, card)
            except Exception:
                self._untold.add(due)
                log.exception("provisional_score_failed", evaluation=str(due.evaluation_id), models=due.models)

    def _settle_campaigns(self) -> bool:
        """Make campaigns ready that wait for nothing more; return whether one still waits for scores."""
        with self.database.read() as session:
            if not campaigns.open_campaigns(session):
                return False  # a writer would lock everybody out, twice a second
        with self.database.write() as session:
            waiting = [one for one in campaigns.open_campaigns(session) if not campaigns.settle(session, one)]
            return any(campaigns.unscored(session, one) for one in waiting)

    def _prepare_campaigns(self) -> int:
        """Compute what open campaigns lack, until asked to stop; return how many scores were written."""
        with self.database.read() as session:
            wanted = [
                (one.id, one.metric, campaigns.unscored(session, one)) for one in campaigns.open_campaigns(session)
            ]
        written = 0
        for campaign_id, metric, unscored in wanted:
            missing = [one for one in unscored if self._tries.get(one, 0) < MAX_TRIES]
            for judged in judge_many(self.database, self.blobs, self.settings, missing, metric):
                if isinstance(judged, Judged):
                    with self.database.write() as session:
                        written += _write(session, judged)
                else:
                    self._tries[judged] = self._tries.get(judged, 0) + 1
                    log.error("campaign_score_failed", campaign=str(campaign_id), evaluation=str(judged))
                if self.stopping.is_set():
                    return written
            with self.database.write() as session:
                campaigns.settle(session, session.get_one(Campaign, campaign_id))
        return written


def _write(session: WriteSession, judged: Judged) -> bool:
    """Insert scores that are not there; point every submission of the evaluation at that by the phase's metric.

    The phase is locked first, as a campaign does that moves all of its pointers: whichever comes second sees what the
    first one did.
    """
    phase_id = session.scalars(select(Evaluation.phase_id).where(Evaluation.id == judged.evaluation_id)).one()
    metric = session.scalars(select(Phase.metric).where(Phase.id == phase_id).with_for_update(read=True)).one()
    evaluation = lock_evaluation(session, judged.evaluation_id)
    present = set(session.scalars(select(Score.metric).where(Score.evaluation_id == judged.evaluation_id)))
    rows = {
        report.card.metric: score_row(judged.evaluation_id, report, subjects=judged.subjects, run_s=judged.run_s)
        for report in judged.reports
    }
    new = rows.keys() - present
    session.add_all(rows[name] for name in sorted(new))
    session.flush()
    if metric in new:
        score = rows[metric]
        own = select(Submission).where(Submission.evaluation_id == judged.evaluation_id)
        for submission in session.scalars(own.order_by(Submission.created_at, Submission.id)):
            board.publish(session, submission, score)
        add_event(session, evaluation, "scored", metric=metric, final_score=score.final_score)
    return bool(new)


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
