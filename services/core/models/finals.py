"""Sealed finals: what teams select, what enters, and when the organiser starts and publishes."""

import hashlib
import secrets
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.models.accounts import Team
from services.core.models.columns import Id
from services.core.models.competitions import Phase
from services.core.models.stored import FinalPreview, FinalProgress, JointPlace, StoredJson
from services.core.models.submissions import Submission
from services.core.store.database import Base, utc_now

__all__ = ["Entered", "EnteredBy", "Final", "FinalPhase", "JointRow", "Selection"]

SECRET_BYTES = 32


def _new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def _commitment(context: DefaultExecutionContext) -> str:
    return hashlib.sha256(context.get_current_parameters()["secret"]).hexdigest()  # type: ignore[no-untyped-call]


class EnteredBy(StrEnum):
    """How entries come into a phase."""

    UPLOAD = "upload"
    SELECTION = "selection"  # teams select among what they uploaded to other phases; finals alone


class Final(Base):
    """A final into which teams select submissions. Its phases, one for each benchmark, take no uploads.

    Its secret gives the seeds of all its runs. The commitment is public from the beginning, the secret once the final
    was published.
    """

    __tablename__ = "finals"
    __table_args__ = (CheckConstraint("selects > 0", name="selects"),)

    id: Mapped[Id]
    phase_id: Mapped[UUID] = mapped_column(
        ForeignKey("phases.id"), unique=True
    )  # of its first benchmark, that names it
    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"), index=True)
    selects: Mapped[int]  # most submissions of one team
    draws_from: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))  # phases; None: the feedback phases
    secret: Mapped[bytes] = mapped_column(LargeBinary(32), default=_new_secret)
    commitment: Mapped[str] = mapped_column(String(64), default=_commitment)  # SHA-256 of the secret, in hex
    started_at: Mapped[datetime | None]
    entered_through: Mapped[UUID | None]  # the last team that was entered, in the order of ids
    entered_at: Mapped[datetime | None]  # when all teams had been entered
    published_at: Mapped[datetime | None]  # None while sealed
    revealed_at: Mapped[datetime | None]  # when it was first published: a secret cannot be taken back
    preview_asked_at: Mapped[datetime | None]
    preview: Mapped[FinalPreview | None] = mapped_column(StoredJson(FinalPreview))
    progress: Mapped[FinalProgress | None] = mapped_column(StoredJson(FinalProgress))
    joint_of: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))  # standings behind the joint board
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    phase: Mapped[Phase] = relationship()


class FinalPhase(Base):
    """A phase of a final: its entries are run on that phase's benchmark."""

    __tablename__ = "final_phases"
    __table_args__ = (UniqueConstraint("final_id", "place"),)

    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id"), primary_key=True)
    final_id: Mapped[UUID] = mapped_column(ForeignKey("finals.id"))
    place: Mapped[int]  # from 0, in the order of the benchmarks

    final: Mapped[Final] = relationship(lazy="joined")
    phase: Mapped[Phase] = relationship()


class Selection(Base):
    """A submission that its team marked for a final."""

    __tablename__ = "selections"
    __table_args__ = (Index("ix_selections_team", "final_id", "team_id"),)

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    final_id: Mapped[UUID] = mapped_column(ForeignKey("finals.id"), primary_key=True)
    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    submission: Mapped[Submission] = relationship()


class Entered(Base):
    """A submission of a final's phase, and the one that its team had uploaded to another phase."""

    __tablename__ = "entered"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    selected_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), index=True)
    by_default: Mapped[bool]  # the team had marked none

    submission: Mapped[Submission] = relationship(foreign_keys=submission_id)
    selected: Mapped[Submission] = relationship(foreign_keys=selected_id)


class JointRow(Base):
    """The place of one team on the joint board of a final on several benchmarks, from 1."""

    __tablename__ = "joint_rows"

    final_id: Mapped[UUID] = mapped_column(ForeignKey("finals.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id"))
    rank: Mapped[int | None]  # equal mean ranks share it; None without a rank on every benchmark
    mean_rank: Mapped[float | None]
    mean_low: Mapped[float | None]  # 95% interval
    mean_high: Mapped[float | None]
    places: Mapped[list[JointPlace]] = mapped_column(StoredJson(list[JointPlace]))  # one for each benchmark

    team: Mapped[Team] = relationship()
