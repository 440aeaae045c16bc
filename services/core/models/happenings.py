"""What happens that people want to know of, and whom it was told."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from services.core.models.columns import Id, choice
from services.core.store.database import Base, utc_now

__all__ = ["Happening", "HappeningKind", "Notice"]

UNTOLD = text("told_at IS NULL")
UNREAD = text("read_at IS NULL")


class HappeningKind(StrEnum):
    """What can happen; also the type of a webhook's message."""

    ACCEPTED = "submission.accepted"
    RUNNING = "submission.running"
    SCORED = "submission.scored"
    CHECKED = "submission.checked"
    FAILED = "submission.failed"
    CANCELLED = "submission.cancelled"
    ANNOUNCED = "announcement.posted"
    OPENED = "phase.opened"
    CLOSING = "phase.closing"  # within a day
    BOARD_CHANGED = "board.changed"  # a rescoring or a final was published or undone


class Happening(Base):
    """Something that happened, written with what it is about. A loop of the API tells people of it, in portions.

    It refers to other rows without a foreign key: on Postgres that would lock a phase while an evaluation is locked,
    and others lock them in the opposite order.
    """

    __tablename__ = "happenings"
    __table_args__ = (
        Index("ix_happenings_untold", "created_at", "id", sqlite_where=UNTOLD, postgresql_where=UNTOLD),
        Index("ix_happenings_age", "created_at"),
        # a phase opens and closes once, whichever process notices it
        Index(
            "uq_happenings_phase",
            "phase_id",
            "kind",
            unique=True,
            sqlite_where=text("kind IN ('phase.opened', 'phase.closing')"),
            postgresql_where=text("kind IN ('phase.opened', 'phase.closing')"),
        ),
    )

    id: Mapped[Id]
    kind: Mapped[HappeningKind] = mapped_column(choice(HappeningKind, checked=False))
    competition_id: Mapped[UUID]
    phase_id: Mapped[UUID | None]
    evaluation_id: Mapped[UUID | None]
    announcement_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    told_after: Mapped[UUID | None]  # everybody whose account has this id or a smaller one was told
    told_at: Mapped[datetime | None]  # when everybody was


class Notice(Base):
    """What somebody is told in the web app. It holds its words, so that a page of notices is one read."""

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_newest", "account_id", "created_at", "id"),
        Index("ix_notices_unread", "account_id", sqlite_where=UNREAD, postgresql_where=UNREAD),
        Index("ix_notices_age", "created_at"),
    )

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[HappeningKind] = mapped_column(choice(HappeningKind, checked=False))
    text: Mapped[str] = mapped_column(String(600))
    path: Mapped[str] = mapped_column(String(300))  # of the page about it
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    read_at: Mapped[datetime | None]
