"""What a competition's file says beside its settings: pages of text, images in them, and its versions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.core.models.columns import Digest, Id, Name, Slug
from services.core.store.database import Base, utc_now

__all__ = ["CompetitionImage", "CompetitionPage", "CompetitionVersion"]


class CompetitionPage(Base):
    """A page of a competition in Markdown; its rules and prizes are pages, too."""

    __tablename__ = "competition_pages"
    __table_args__ = (UniqueConstraint("competition_id", "slug"),)

    id: Mapped[Id]
    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"))
    slug: Mapped[Slug]
    title: Mapped[Name]
    body: Mapped[str] = mapped_column(Text)
    position: Mapped[int]


class CompetitionImage(Base):
    """An image that pages of a competition show, drawn anew by `api/files/images.py`."""

    __tablename__ = "competition_images"
    __table_args__ = (UniqueConstraint("competition_id", "name"),)

    id: Mapped[Id]
    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"))
    name: Mapped[Slug]
    blob: Mapped[Digest]
    media_type: Mapped[str] = mapped_column(String(63))
    width_px: Mapped[int]
    height_px: Mapped[int]
    size_bytes: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class CompetitionVersion(Base):
    """A file as it was applied. Rows are only added."""

    __tablename__ = "competition_versions"
    __table_args__ = (
        UniqueConstraint("competition_id", "number"),
        Index("ix_competition_versions_order", "competition_id", "created_at", "id"),
    )

    id: Mapped[Id]
    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    number: Mapped[int]  # from 1
    text: Mapped[str] = mapped_column(Text, deferred=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
