"""Preparing campaigns: computing the scores of a rescoring, which move no pointer until it is published."""

import threading
from contextlib import closing
from dataclasses import dataclass
from uuid import UUID

import structlog

from services.core.board import campaigns, rescoring
from services.core.models import Campaign
from services.scorer.judging import Judged, Unscored, judge_many
from services.scorer.publishing import publish
from services.scorer.retries import Retries
from services.scorer.stores import Stores

__all__ = ["Preparing"]

log = structlog.get_logger()
MAX_TRIES = 3  # before an evaluation is set aside


@dataclass(frozen=True, slots=True)
class Preparing:
    """The open campaigns, and their missing scores."""

    stores: Stores
    retries: Retries
    stopping: threading.Event

    def waits(self) -> bool:
        """Tell whether a campaign still waits for scores."""
        with self.stores.database.read() as session:
            found = campaigns.open_campaigns(session)
            return any(one.set_aside or rescoring.unscored(session, one) for one in found)

    def prepare(self) -> int:
        """Compute the missing scores of open campaigns until asked to stop; return how many scores were written.

        Evaluations that were set aside are retried with back-off, because the cause may have been removed.
        """
        stores, written = self.stores, 0
        with stores.database.read() as session:
            wanted = [
                (one.id, one.metric, [*rescoring.unscored(session, one), *one.set_aside])
                for one in campaigns.open_campaigns(session)
            ]
        later = self.retries.later()
        for campaign_id, metric, unscored in wanted:
            missing = [one for one in unscored if one not in later]
            with closing(judge_many(stores.database, stores.blobs, stores.settings, missing, metric)) as outcomes:
                for outcome in outcomes:
                    written += self._take(campaign_id, outcome)
                    if self.stopping.is_set():
                        return written
            with stores.database.write() as session:
                rescoring.settle(session, session.get_one(Campaign, campaign_id))
        return written

    def _take(self, campaign_id: UUID, outcome: Judged | Unscored) -> bool:
        """Write a campaign's score. After repeated failures, set the evaluation aside, so that the campaign can end."""
        if isinstance(outcome, Judged):
            try:
                with self.stores.database.write() as session:
                    written = publish(session, outcome)
                self.retries.forget(outcome.evaluation_id)
                return written
            except Exception as error:  # such as a number that the database refuses
                outcome = Unscored.because(outcome.evaluation_id, error)
        tries = self.retries.put_off(outcome.evaluation_id)
        names = {"campaign": str(campaign_id), "evaluation": str(outcome.evaluation_id)}
        log.error("campaign_score_failed", **names, reason=outcome.reason, tries=tries)
        if tries >= MAX_TRIES:
            with self.stores.database.write() as session:
                campaigns.set_aside(session, campaign_id, outcome.evaluation_id, outcome.reason)
        return False
