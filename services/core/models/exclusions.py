"""Entries that are off the board: disqualified by an organiser, or withdrawn by their team."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.models.accounts import Team
from services.core.models.columns import Id, choice
from services.core.models.submissions import Submission
from services.core.store.database import Base, utc_now

__all__ = ["Exclusion", "ExclusionKind"]


class ExclusionKind(StrEnum):
    DISQUALIFIED = "disqualified"  # by an organiser
    WITHDRAWN = "withdrawn"  # by the team


class Exclusion(Base):
    """A submission, or all that a team submitted to a competition, is off its board from `created_at` to `ended_at`.

    It counts from the moment it is made, and no earlier board changes. The reason is shown to the team.
    """

    __tablename__ = "exclusions"
    __table_args__ = (
        Index(
            "uq_exclusions_submission",
            "submission_id",
            "kind",
            unique=True,
            sqlite_where=text("ended_at IS NULL AND submission_id IS NOT NULL"),
            postgresql_where=text("ended_at IS NULL AND submission_id IS NOT NULL"),
        ),
        Index(
            "uq_exclusions_team",
            "team_id",
            "competition_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL AND submission_id IS NULL"),
            postgresql_where=text("ended_at IS NULL AND submission_id IS NULL"),
        ),
        Index("ix_exclusions_team", "team_id", "competition_id"),
        Index("ix_exclusions_order", "competition_id", "created_at"),
    )

    id: Mapped[Id]
    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"))
    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id"))
    submission_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("submissions.id")
    )  # None: all that the team submitted
    kind: Mapped[ExclusionKind] = mapped_column(choice(ExclusionKind))
    reason: Mapped[str] = mapped_column(String(2000))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None] = mapped_column(String(2000))

    team: Mapped[Team] = relationship()
    submission: Mapped[Submission | None] = relationship()
