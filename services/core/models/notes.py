"""What a team notes about its own submissions. A submission itself never changes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.core.store.database import Base, utc_now

__all__ = ["SubmissionNote"]


class SubmissionNote(Base):
    """The note and the tags of a submission; none, if it has no row."""

    __tablename__ = "submission_notes"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    note: Mapped[str] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(JSON)
    changed_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
