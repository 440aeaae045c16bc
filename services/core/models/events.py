"""Events of evaluations: what pages follow, and what is counted."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.core.models.columns import choice
from services.core.models.evaluations import SubmissionState
from services.core.models.stored import EventPayload, StoredJson
from services.core.store.database import Base, utc_now

__all__ = ["BROKEN_OFF", "Event", "EventKind"]


class EventKind(StrEnum):
    """The kinds of events of an evaluation. A kind with the name of a state leads to that state."""

    QUEUED = "queued"
    RUNNING = "running"
    PROGRESS = "progress"
    PROVISIONAL = "provisional"  # a score of the runs so far
    RETRIED = "retried"  # a shard went back to the queue, because its worker was lost or failed
    DISCARDED = "discarded"  # the measurements of an earlier attempt at a notebook were removed
    MEASURED = "measured"
    SCORED = "scored"
    CHECKED = "checked"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def leads_to(self) -> SubmissionState | None:
        """Return the state that begins with this event; None if the state does not change."""
        return next((state for state in SubmissionState if state.value == self.value), None)


# Attempts that ended early: few of all events, so an index finds them. SQLite uses it for these very words alone.
BROKEN_OFF = text("kind IN ('retried', 'discarded', 'failed')")


class Event(Base):
    """One event of an evaluation; `sequence` has no gaps within an evaluation."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_broken_off", "kind", sqlite_where=BROKEN_OFF, postgresql_where=BROKEN_OFF),)

    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[EventKind] = mapped_column(choice(EventKind, length=40, checked=False))
    payload: Mapped[EventPayload] = mapped_column(StoredJson(EventPayload), default=EventPayload)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
