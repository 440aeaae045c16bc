"""Archives of competitions that organisers asked for."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from services.core.models.columns import Held, choice
from services.core.store.database import Base, utc_now

__all__ = ["Freeze", "FreezeState"]


class FreezeState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Freeze(Held, Base):
    """One archive of a competition: asked for, written by a process of the API, and kept for some days."""

    __tablename__ = "freezes"
    __table_args__ = (
        Index("ix_freezes_order", "competition_id", "created_at", "id"),
        Index("ix_freezes_state", "state", "created_at"),
    )

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    state: Mapped[FreezeState] = mapped_column(choice(FreezeState), default=FreezeState.QUEUED)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)  # 0: not known yet
    blob: Mapped[str | None] = mapped_column(String(64))  # None: there is no archive, or none any more
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    head: Mapped[str | None] = mapped_column(String(100))  # of the record, as NUMBER:HASH
    reason: Mapped[str | None] = mapped_column(String(1000))  # why it failed
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]
