"""Keeping finals: a little of each task at every look, so that leaderboards never wait long for a big final."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy import or_, select

from services.core.models import Final
from services.core.models.stored import FinalPreview
from services.core.queue.doorbell import Bell, Doorbell
from services.core.store.database import ReadSession
from services.scorer.finals.counting import count_teams, progress_of
from services.scorer.finals.entering import enter_some
from services.scorer.finals.joint import keep_joint
from services.scorer.stores import Stores

__all__ = ["Finals"]

log = structlog.get_logger()
EVERY_S = 1.0  # at least, between two counts of progress, and two looks at a joint board
AGAIN_S = 15.0  # after a failure


@dataclass(slots=True)
class Finals:
    """The finals of which something is to be done."""

    stores: Stores
    doorbell: Doorbell | None = None  # is rung for runs that were queued; without it the workers' sweepers find them
    every_s: float = EVERY_S
    _counting: dict[UUID, Iterator[FinalPreview | None]] = field(default_factory=dict)
    _again_at: dict[tuple[str, UUID], float] = field(default_factory=dict)

    def keep(self) -> int:
        """Enter teams, count previews and progress, compute joint boards; return how many of these were done."""
        with self.stores.database.read() as session:
            due = _due(session)
        return sum(self._try(task, final_id) for task, final_id in due)

    def _try(self, task: str, final_id: UUID) -> bool:
        if self._again_at.get((task, final_id), 0.0) > time.monotonic():
            return False
        try:
            getattr(self, f"_{task}")(final_id)
        except Exception:
            self._again_at[task, final_id] = time.monotonic() + AGAIN_S
            log.exception("final_failed", task=task, final=str(final_id), remedy="it is tried again")
        return True

    def _enter(self, final_id: UUID) -> None:
        with self.stores.database.write() as session:
            made = enter_some(session, final_id)
        log.info("final_entered", final=str(final_id), entries=made)
        if made and self.doorbell is not None:
            self.doorbell.ring_across(Bell.RUN)

    def _preview(self, final_id: UUID) -> None:
        counting = self._counting.setdefault(final_id, count_teams(self.stores.database, final_id))
        try:
            preview = next(counting)
        except BaseException:
            del self._counting[final_id]
            raise
        if preview is not None:
            del self._counting[final_id]
            with self.stores.database.write() as session:
                session.get_one(Final, final_id).preview = preview

    def _progress(self, final_id: UUID) -> None:
        with self.stores.database.write() as session:
            final = session.get_one(Final, final_id, with_for_update=True)
            final.progress = progress_of(session, final)
        self._again_at["progress", final_id] = time.monotonic() + self.every_s

    def _joint(self, final_id: UUID) -> None:
        keep_joint(self.stores.database, final_id)
        self._again_at["joint", final_id] = time.monotonic() + self.every_s


def _due(session: ReadSession) -> list[tuple[str, UUID]]:
    """List what finals wait for."""
    started = Final.started_at.is_not(None)
    wanted = or_(started, Final.preview_asked_at.is_not(None))
    found: list[tuple[str, UUID]] = []
    for final in session.scalars(select(Final).where(wanted).order_by(Final.created_at)):
        found += [(task, final.id) for task in _tasks(final)]
    return found


def _tasks(final: Final) -> Iterator[str]:
    if final.started_at is None:
        asked = final.preview_asked_at
        if asked is not None and (final.preview is None or final.preview.at < asked):
            yield "preview"
        return
    if final.entered_at is None:
        yield "enter"
    if final.progress is None or not final.progress.complete:
        yield "progress"
    yield "joint"
