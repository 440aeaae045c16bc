"""Scoring evaluations: each measured evaluation gets its scores; the score by its phase's metric is published."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from services.core.bundle.packing import pack
from services.core.models import Evaluation
from services.core.queue.lifecycle import awaiting_score
from services.scorer.judging import judge
from services.scorer.publishing import publish
from services.scorer.retries import Retries
from services.scorer.stores import Stores

__all__ = ["Evaluations"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Evaluations:
    """The measured evaluations that have no score by their phase's metric."""

    stores: Stores
    retries: Retries

    def next(self) -> UUID | None:
        """Find the oldest one that has not failed a moment ago."""
        later = self.retries.later()
        with self.stores.database.read() as session:
            waiting = awaiting_score().where(Evaluation.id.not_in(later)).order_by(Evaluation.finished_at)
            return session.scalar(waiting.with_only_columns(Evaluation.id).limit(1))

    def score(self, evaluation_id: UUID) -> bool:
        """Score an evaluation by all metrics, or put it off; return whether a score was written.

        Also False if another scorer was faster, because scoring twice changes nothing.
        """
        try:
            scored = self._score(evaluation_id)
        except Exception:
            tries = self.retries.put_off(evaluation_id)
            log.exception("scoring_failed", evaluation=str(evaluation_id), tries=tries)
            return False
        self.retries.forget(evaluation_id)
        log.info("scored", evaluation=str(evaluation_id))
        return scored

    def _score(self, evaluation_id: UUID) -> bool:
        database = self.stores.database
        with database.read() as session:
            phase = session.get_one(Evaluation, evaluation_id).phase
            metric, public = phase.metric, not phase.data_hidden
        pack(database, self.stores.blobs, evaluation_id)  # first, so that every reading is fetched once
        stores = self.stores
        judged = judge(database, stores.blobs, stores.settings, evaluation_id, metric, losses=public)
        losses = judged.losses.keep(stores.blobs) if judged.losses else None
        with database.write() as session:
            published = publish(session, judged, losses)
        if judged.losses:
            judged.losses.keep(stores.blobs)  # again: a retention may have deleted the same pictures meanwhile
        return published
