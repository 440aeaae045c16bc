"""Computed leaderboards: every place of a board as of one moment, written once and read page by page."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.models.columns import choice
from services.core.models.leaderboard import LeaderboardEntry
from services.core.store.database import Base, utc_now

__all__ = ["AskedBoard", "StandingRow", "Standings", "Unranked"]


class Unranked(StrEnum):
    """Why an entry has no rank."""

    REFERENCE = "reference"  # an organiser's row, shown for comparison
    TOO_SLOW = "too_slow"  # unlearning must be cheaper than retraining
    TOO_FEW_MODELS = "too_few_models"  # that differ by more than near-duplicates do
    FORGET_SET_PINNED = "forget_set_pinned"  # forget examples look more retrained than controls


class Standings(Base):
    """A phase's leaderboard as of the moment of a move. Its rows are complete once it has `done_at`."""

    __tablename__ = "standings"
    __table_args__ = (Index("ix_standings_board", "phase_id", "moment"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id"))
    moment: Mapped[datetime]
    metric: Mapped[str] = mapped_column(String(63))  # that the leaderboard ranked by at that moment
    total: Mapped[int] = mapped_column(default=0)  # entries
    retraining_s: Mapped[float | None]  # the time behind its time ratios, core/board/order.py
    retraining_cost: Mapped[float | None]  # that of the fastest one, in runs of the platform's trainer
    begun_at: Mapped[datetime] = mapped_column(default=utc_now)
    done_at: Mapped[datetime | None]


class StandingRow(Base):
    """The place of one entry, from 1."""

    __tablename__ = "standing_rows"
    __table_args__ = (
        Index("uq_standing_rows_entry", "standings_id", "entry_id", unique=True),
        {"sqlite_with_rowid": False},
    )

    standings_id: Mapped[int] = mapped_column(ForeignKey("standings.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("leaderboard_entries.id"))
    rank: Mapped[int | None]
    unranked: Mapped[Unranked | None] = mapped_column(choice(Unranked))
    rank_best: Mapped[int | None]
    rank_worst: Mapped[int | None]
    tie_group: Mapped[int | None]
    time_ratio: Mapped[float | None]
    ratio_low: Mapped[float | None]  # its 95% interval; None if the retraining was timed at another time
    ratio_high: Mapped[float | None]
    draws: Mapped[int] = mapped_column(default=1)  # scored entries of the team that differ; the best one stands here
    luck: Mapped[float] = mapped_column(default=0.0)  # what the best of so many equal entries gains by chance

    entry: Mapped[LeaderboardEntry] = relationship()


class AskedBoard(Base):
    """A leaderboard as of an earlier moment that somebody wants to read and that is not stored any more."""

    __tablename__ = "asked_boards"

    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id"), primary_key=True)
    moment: Mapped[datetime] = mapped_column(primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(default=utc_now)
