"""What waits to be sent out of the platform, such as mail."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.core.models.columns import Id, choice
from services.core.store.database import Base, utc_now

__all__ = ["Outgoing", "OutgoingKind"]


class OutgoingKind(StrEnum):
    RESET_MAIL = "reset_mail"  # a link that sets a new password, to whoever has the name or address
    VERIFY_MAIL = "verify_mail"  # a link that proves an address
    ALERT_MAIL = "alert_mail"  # that the password or the address of an account changed
    NOTICE_MAIL = "notice_mail"  # what happened, to whoever wants mail
    HOOK_CALL = "hook_call"  # what happened, to a webhook


class Outgoing(Base):
    """Something to send. It is written with what causes it, and removed once it is sent.

    It holds no secret: links are made when the mail is written, and the database keeps only their digests.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "due_at", "id"),)

    id: Mapped[Id]
    kind: Mapped[OutgoingKind] = mapped_column(choice(OutgoingKind, checked=False))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
