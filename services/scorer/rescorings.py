"""Rescorings, beside requests: runs are queued and ended, scores counted, and pointers moved once an organiser asks."""

import time
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from services.core.board import rescoring
from services.core.models import Campaign, CampaignState
from services.core.queue.doorbell import Bell, Doorbell
from services.scorer.stores import Stores

__all__ = ["Rescorings"]

log = structlog.get_logger()
PORTION = 100  # runs that are queued or ended in one transaction
AGAIN_S = 15.0  # after a failure
BRIEF_S = 0.1  # what takes longer is done at most half of the time


@dataclass(slots=True)
class Rescorings:
    """The campaigns of which something is to be done."""

    stores: Stores
    doorbell: Doorbell | None = None  # is rung for runs that were queued; without it the workers' sweepers find them
    _again_at: dict[UUID, float] = field(default_factory=dict)  # by campaign, by the monotonic clock

    def keep(self) -> int:
        """Take every campaign under way as far as it goes; return how many pointers moved."""
        with self.stores.database.read() as session:
            due = rescoring.due(session)
        return sum(self._try(one) for one in due if self._again_at.get(one.id, 0.0) <= time.monotonic())

    def _try(self, campaign: Campaign) -> int:
        began = time.monotonic()
        try:
            moved = self._carry_on(campaign)
        except Exception:
            self._again_at[campaign.id] = time.monotonic() + AGAIN_S
            log.exception("rescoring_failed", campaign=str(campaign.id), remedy="it is tried again")
            return 0
        took_s = time.monotonic() - began
        if took_s > BRIEF_S:
            self._again_at[campaign.id] = time.monotonic() + took_s
        return moved

    def _carry_on(self, campaign: Campaign) -> int:
        database = self.stores.database
        if campaign.runs_due:
            self._end_runs(campaign.id) if campaign.state is CampaignState.CANCELLED else self._queue_runs(campaign)
        waits = campaign.state in CampaignState.open() and self._look(campaign)
        if waits or campaign.state in (CampaignState.READY, CampaignState.CANCELLED):
            return 0
        with database.write() as session:
            if campaign.state is CampaignState.PREPARING:
                rescoring.settle(session, session.get_one(Campaign, campaign.id))
                return 0
            moved = rescoring.carry_out(session, campaign.id)
        if moved is not None:
            log.info("board_rescored", campaign=str(campaign.id), was=campaign.state.value, moved=moved)
        return moved or 0

    def _look(self, campaign: Campaign) -> bool:
        """Keep the progress of a campaign if it has changed; return whether it waits for anything."""
        database = self.stores.database
        with database.read() as session:
            one = session.get_one(Campaign, campaign.id)
            progress, waits = rescoring.progress_of(session, one), rescoring.is_waiting(session, one)
        before = rescoring.Progress(one.done, one.total)
        if progress != before:
            with database.write() as session:  # only then, because a write locks others out twice a second
                rescoring.count(session, campaign.id, before, progress)
        return waits

    def _queue_runs(self, campaign: Campaign) -> None:
        database = self.stores.database
        with database.read() as session:
            wanted = rescoring.to_run_again(session, session.get_one(Campaign, campaign.id))
        for first in range(0, max(1, len(wanted)), PORTION):
            some, last = wanted[first : first + PORTION], first + PORTION >= len(wanted)
            with database.write() as session:
                if not rescoring.queue_runs(session, campaign.id, some, last=last):
                    return
        if self.doorbell is not None:
            self.doorbell.ring_across(Bell.RUN)

    def _end_runs(self, campaign_id: UUID) -> None:
        more = True
        while more:
            with self.stores.database.write() as session:
                more = rescoring.end_runs(session, campaign_id, PORTION)
