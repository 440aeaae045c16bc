"""What organisers announce on the page of a competition."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from services.core.models.columns import Id, Name
from services.core.store.database import Base, utc_now

__all__ = ["Announcement"]


class Announcement(Base):
    """A public post, in plain text. It is never edited; a retracted one is not shown any more."""

    __tablename__ = "announcements"
    __table_args__ = (
        Index(
            "ix_announcements_shown",
            "competition_id",
            "created_at",
            "id",
            sqlite_where=text("retracted_at IS NULL"),
            postgresql_where=text("retracted_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    title: Mapped[Name]
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    retracted_at: Mapped[datetime | None]
