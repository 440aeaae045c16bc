"""What a team notes about its own submissions, and which it shows to everybody. A submission itself never changes."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, validates

from services.core.store.database import Base, utc_now

__all__ = ["SharedSubmission", "SubmissionNote"]

SEPARATOR = "\n"  # no tag contains one


class SubmissionNote(Base):
    """The note and the tags of a submission; none, if it has no row."""

    __tablename__ = "submission_notes"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    note: Mapped[str] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(JSON)
    folded_tags: Mapped[str] = mapped_column(Text, default="")  # `_folded` the tags, for `has_tag`
    changed_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)

    @validates("tags")
    def _keep_folded(self, _name: str, tags: list[str]) -> list[str]:
        self.folded_tags = _folded(tags)
        return tags

    @classmethod
    def has_tag(cls, tag: str) -> ColumnElement[bool]:
        """Return the condition that a submission has a tag, whatever its case."""
        return cls.folded_tags.contains(_folded([tag]), autoescape=True)


class SharedSubmission(Base):
    """A submission whose team shows its score to everybody, by a member."""

    __tablename__ = "shared_submissions"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


def _folded(tags: Collection[str]) -> str:
    """Write tags for searching: without regard to case, each between separators; empty if there are none."""
    return SEPARATOR.join(["", *(tag.casefold() for tag in tags), ""]) if tags else ""
