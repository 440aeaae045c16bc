"""The table of lines: a team's place in the queue."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.models.columns import Id
from services.core.models.competitions import Phase
from services.core.store.database import Base, utc_now

__all__ = ["Line"]


class Line(Base):
    """The shards of one team in one phase, and when its turn comes.

    The lines of a team in a competition take turns as one, apart from check phases.
    """

    __tablename__ = "lines"
    __table_args__ = (
        UniqueConstraint("phase_id", "team_id"),
        Index(
            "uq_lines_nobody",
            "phase_id",
            unique=True,
            sqlite_where=text("team_id IS NULL"),
            postgresql_where=text("team_id IS NULL"),
        ),
        Index(
            "ix_lines_waiting",
            "phase_id",
            "turn",
            "created_at",
            "id",
            sqlite_where=text("queued > 0"),
            postgresql_where=text("queued > 0"),
        ),
    )

    id: Mapped[Id]
    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id"))
    team_id: Mapped[UUID | None] = mapped_column(ForeignKey("teams.id"), index=True)  # None: runs of a rescoring
    turn: Mapped[int] = mapped_column(BigInteger, default=0, index=True)  # the lowest is next; 0 was never served
    turns_left: Mapped[int] = mapped_column(default=1)  # claims until it goes behind all others
    queued: Mapped[int] = mapped_column(default=0)  # number of its queued shards
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    phase: Mapped[Phase] = relationship()
