"""Addresses that are called when something happens, and the calls."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.models.columns import Id
from services.core.models.happenings import HappeningKind
from services.core.store.database import Base, utc_now

__all__ = ["HookCall", "Webhook"]


class Webhook(Base):
    """An address of an account or of a competition. Its secret is derived from the installation's key, never stored."""

    __tablename__ = "webhooks"
    __table_args__ = (CheckConstraint("(account_id IS NULL) <> (competition_id IS NULL)", name="of_one"),)

    id: Mapped[Id]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    competition_id: Mapped[UUID | None] = mapped_column(ForeignKey("competitions.id"), index=True)
    url: Mapped[str] = mapped_column(String(500))
    kinds: Mapped[list[HappeningKind]] = mapped_column(JSON)  # what it is called for
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    disabled_at: Mapped[datetime | None]  # because it did not answer for days, or said that it is gone


class HookCall(Base):
    """One message to a webhook. The outbox says when it is sent next; all attempts have the same id and body."""

    __tablename__ = "hook_calls"
    __table_args__ = (
        Index("ix_hook_calls_newest", "webhook_id", "created_at", "id"),
        Index("ix_hook_calls_age", "created_at"),
    )

    id: Mapped[Id]
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id"))
    kind: Mapped[str] = mapped_column(String(24))
    body: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    status: Mapped[int | None]  # that the address answered last
    problem: Mapped[str | None] = mapped_column(String(200))  # why there was no answer
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    delivered_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]

    webhook: Mapped[Webhook] = relationship()
