"""The scorer: answers the doorbell by scoring every measured evaluation that has no score by its phase's metric.

It also prepares campaigns: the scores by another metric that an organiser asked for, which move no pointer. And when
nothing else waits, it tells how evaluations under way stand.
"""

import threading
import time
from contextlib import closing
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import select

from services.core.board import campaigns, standing
from services.core.models import Campaign, CampaignState, Evaluation, EventKind, Phase, Score, Submission
from services.core.queue.doorbell import Bell, Doorbell
from services.core.queue.lifecycle import add_event, awaiting_score, lock_evaluation
from services.core.settings import Settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database, WriteSession
from services.scorer.heartbeat import beat
from services.scorer.judging import Judged, Unscored, judge, judge_many, judge_so_far
from services.scorer.provisional import Due, find_due, tell
from services.scorer.rows import score_row

__all__ = ["Scorer", "run_scorer"]

log = structlog.get_logger()
MAX_TRIES = 3  # before a campaign is prepared without an evaluation
RETRY_AFTER_S = 15.0  # and twice as long after each further failure, up to an hour
MAX_DOUBLINGS = 8


@dataclass(frozen=True, slots=True)
class _Failing:
    """How often an evaluation could not be scored by this process, and when it is tried again."""

    tries: int = 0
    again_at: float = 0.0  # by the monotonic clock

    def once_more(self) -> "_Failing":
        wait_s = RETRY_AFTER_S * 2 ** min(self.tries, MAX_DOUBLINGS)
        return _Failing(self.tries + 1, time.monotonic() + wait_s)


class Scorer:
    """Scores evaluations one after another, and those of a campaign side by side."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.resolved_database_url)
        self.blobs = Blobs.from_settings(settings)
        self.doorbell = Doorbell(settings)
        self.stopping = threading.Event()
        self._failing: dict[UUID, _Failing] = {}
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
        """Ring where something waits, see whether the new runs of a campaign have ended, and give a sign of life."""
        if self._settle_campaigns() or self._next() or self._due():
            self.doorbell.ring(Bell.SCORE)
        beat(self.settings)

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
        """Find the oldest measured evaluation without a score, but for those that failed a moment ago."""
        later = self._later()
        with self.database.read() as session:
            waiting = awaiting_score().where(Evaluation.id.not_in(later)).order_by(Evaluation.finished_at)
            return session.scalar(waiting.with_only_columns(Evaluation.id).limit(1))

    def _score(self, evaluation_id: UUID) -> bool:
        try:
            scored = self.score(evaluation_id)
            self._failing.pop(evaluation_id, None)
            log.info("scored", evaluation=str(evaluation_id))
            return scored
        except Exception:
            log.exception("scoring_failed", evaluation=str(evaluation_id), tries=self._fail(evaluation_id))
            return False

    def _fail(self, evaluation_id: UUID) -> int:
        """Put an evaluation off, each time for longer; return how often it has failed."""
        failing = self._failing.get(evaluation_id, _Failing()).once_more()
        self._failing[evaluation_id] = failing
        return failing.tries

    def _later(self) -> set[UUID]:
        now = time.monotonic()
        return {evaluation for evaluation, failing in self._failing.items() if failing.again_at > now}

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
            found = campaigns.open_campaigns(session)
            lacking = any(one.set_aside or campaigns.unscored(session, one) for one in found)
        if any(one.state is CampaignState.PREPARING for one in found):
            with self.database.write() as session:  # not for others: it would lock everybody out, twice a second
                for one in campaigns.open_campaigns(session):
                    campaigns.settle(session, one)
        return lacking

    def _prepare_campaigns(self) -> int:
        """Compute what open campaigns lack, until asked to stop; return how many scores were written.

        What was set aside is tried again too, each time later: the cause may be mended.
        """
        with self.database.read() as session:
            wanted = [
                (one.id, one.metric, [*campaigns.unscored(session, one), *one.set_aside])
                for one in campaigns.open_campaigns(session)
            ]
        written, later = 0, self._later()
        for campaign_id, metric, unscored in wanted:
            missing = [one for one in unscored if one not in later]
            with closing(judge_many(self.database, self.blobs, self.settings, missing, metric)) as outcomes:
                for outcome in outcomes:
                    written += self._take(campaign_id, outcome)
                    if self.stopping.is_set():
                        return written
            with self.database.write() as session:
                campaigns.settle(session, session.get_one(Campaign, campaign_id))
        return written

    def _take(self, campaign_id: UUID, outcome: Judged | Unscored) -> bool:
        """Write a campaign's score. What fails again and again is set aside, so that the campaign comes to its end."""
        if isinstance(outcome, Judged):
            try:
                with self.database.write() as session:
                    written = _write(session, outcome)
                self._failing.pop(outcome.evaluation_id, None)
                return written
            except Exception as error:  # such as a number that the database refuses
                outcome = Unscored.because(outcome.evaluation_id, error)
        tries = self._fail(outcome.evaluation_id)
        names = {"campaign": str(campaign_id), "evaluation": str(outcome.evaluation_id)}
        log.error("campaign_score_failed", **names, reason=outcome.reason, tries=tries)
        if tries >= MAX_TRIES:
            with self.database.write() as session:
                campaigns.set_aside(session, campaign_id, outcome.evaluation_id, outcome.reason)
        return False


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
    campaigns.take_back(session, evaluation, new)
    if metric in new:
        score = rows[metric]
        own = select(Submission).where(Submission.evaluation_id == judged.evaluation_id)
        for submission in session.scalars(own.order_by(Submission.created_at, Submission.id)):
            standing.publish(session, submission, score)
        add_event(session, evaluation, EventKind.SCORED, metric=metric, final_score=score.final_score)
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
