"""Which submissions are near-identical, by their code or by what it does to weights, across teams."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.models.columns import Id, choice
from services.core.models.submissions import Submission
from services.core.store.database import Base, utc_now

__all__ = ["CodeBand", "Copy", "CopyKind"]


class CopyKind(StrEnum):
    """By what two submissions are near-identical."""

    CODE = "code"
    WEIGHTS = "weights"  # how the runs move the weights of the originals


class CodeBand(Base):
    """A number that near-identical submissions very probably share.

    Those of code are made by `core.submission.form`, those of movements of weights by `scorer.copies`.
    """

    __tablename__ = "code_bands"
    __table_args__ = ({"sqlite_with_rowid": False},)

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(primary_key=True)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id"))


class Copy(Base):
    """A submission that is nearly another team's earlier one, for organisers to look at."""

    __tablename__ = "copies"
    __table_args__ = (Index("ix_copies_order", "competition_id", "created_at", "id"),)

    id: Mapped[Id]
    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"))
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"))
    other_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"))
    kind: Mapped[CopyKind] = mapped_column(choice(CopyKind), default=CopyKind.CODE)
    same_code: Mapped[bool]  # apart from comments, layout and documentation strings
    likeness: Mapped[float]  # of code: 1 if it differs in names of variables and values only; of weights: 1 - distance
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    submission: Mapped[Submission] = relationship(foreign_keys=submission_id)
    other: Mapped[Submission] = relationship(foreign_keys=other_id)
