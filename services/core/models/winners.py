"""What follows a published final: consent to publish code, what was decided on a finalist, and runs that verify it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.models.columns import choice
from services.core.models.evaluations import Evaluation
from services.core.store.database import Base, utc_now

__all__ = ["Consent", "Finalist", "FinalistState", "VerifyingRun"]


class FinalistState(StrEnum):
    IN_REVIEW = "in_review"
    VERIFIED = "verified"
    REFUSED = "refused"


class Consent(Base):
    """A team's consent to publish the code of a submission under a licence, if it wins and is verified."""

    __tablename__ = "consents"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    licence: Mapped[str] = mapped_column(String(100))
    rules_version: Mapped[str | None] = mapped_column(String(64))  # SHA-256 of the rules in force; None: none
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Finalist(Base):
    """What was decided on an entry of a published final, named by the submission that was selected."""

    __tablename__ = "finalists"

    final_id: Mapped[UUID] = mapped_column(ForeignKey("finals.id"), primary_key=True)
    selected_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    state: Mapped[FinalistState] = mapped_column(choice(FinalistState))
    reason: Mapped[str] = mapped_column(String(2000))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    decided_at: Mapped[datetime] = mapped_column(default=utc_now)


class VerifyingRun(Base):
    """A further evaluation of an entry of a final, which moves no leaderboard."""

    __tablename__ = "verifying_runs"

    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id"), primary_key=True)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), index=True)
    replaced_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id"))  # the one that it is compared with
    same_seeds: Mapped[bool]
    avoids: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))  # workers; None: there was no other
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    evaluation: Mapped[Evaluation] = relationship(foreign_keys=evaluation_id)
