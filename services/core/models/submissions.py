"""Submissions, the uploads of participants. They are immutable."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.models.accounts import Team
from services.core.models.columns import Id, Name, choice
from services.core.models.competitions import Phase
from services.core.models.evaluations import Evaluation
from services.core.models.stored import StoredJson
from services.core.store.database import Base, utc_now
from services.core.submission.certificate import Claim

__all__ = ["Reference", "Submission", "SubmissionKind"]


class SubmissionKind(StrEnum):
    MODULE = "module"  # one .py file
    ARCHIVE = "archive"  # a .zip that holds one module and what it imports
    NOTEBOOK = "notebook"  # an .ipynb in the layout of 2023, which writes all checkpoints itself


class Reference(StrEnum):
    """A reference row, of the platform or an organiser: shown on the leaderboard, never ranked."""

    NONE = "none"
    IDENTITY = "identity"
    RETRAIN = "retrain"  # a full retraining, to which run times are compared
    RETRAIN_5 = "retrain-5"  # a retraining of 5% of the epochs, and so on
    RETRAIN_10 = "retrain-10"
    RETRAIN_20 = "retrain-20"
    RETRAIN_50 = "retrain-50"


def _blob(context: DefaultExecutionContext) -> str:
    return str(context.get_current_parameters()["blob"])  # type: ignore[no-untyped-call]


class Submission(Base):
    __tablename__ = "submissions"
    __table_args__ = (
        Index("ix_submissions_quota", "team_id", "phase_id", "created_at"),
        Index("ix_submissions_newest", "phase_id", "created_at", "id"),
        Index("ix_submissions_code", "team_id", "phase_id", "code_sha256"),
        Index(
            "ix_submissions_deleted",
            "phase_id",
            sqlite_where=text("code_deleted_at IS NOT NULL"),
            postgresql_where=text("code_deleted_at IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id"))
    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id"), index=True)
    name: Mapped[Name]
    filename: Mapped[Name]
    kind: Mapped[SubmissionKind] = mapped_column(choice(SubmissionKind))
    reference: Mapped[Reference] = mapped_column(choice(Reference), default=Reference.NONE)
    blob: Mapped[str] = mapped_column(String(64))
    code_sha256: Mapped[str] = mapped_column(String(64), default=_blob)  # of its normal form, core/submission/form.py
    sketch: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)  # to find code that is like it
    size_bytes: Mapped[int]
    code_deleted_at: Mapped[datetime | None]  # by the competition's retention; its hashes stay
    claim: Mapped[Claim | None] = mapped_column(StoredJson(Claim))  # the certificate that it claims
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    phase: Mapped[Phase] = relationship()
    team: Mapped[Team] = relationship()
    evaluation: Mapped[Evaluation] = relationship()
