"""The record: what organisers, operators and teams did that others must be able to trust."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.core.models.columns import Id, choice
from services.core.store.database import Base, utc_now

__all__ = ["Act", "AuditEvent"]


class Act(StrEnum):
    """The acts that are recorded."""

    CAMPAIGN_STARTED = "campaign_started"
    CAMPAIGN_CANCELLED = "campaign_cancelled"
    CAMPAIGN_PUBLISHED = "campaign_published"
    CAMPAIGN_UNDONE = "campaign_undone"
    CODE_READ = "code_read"
    CODE_COMPARED = "code_compared"
    UPLOAD_DOWNLOADED = "upload_downloaded"
    NOTEBOOK_READ = "notebook_read"
    ENTRY_DISQUALIFIED = "entry_disqualified"
    ENTRY_REINSTATED = "entry_reinstated"
    TEAM_DISQUALIFIED = "team_disqualified"
    TEAM_REINSTATED = "team_reinstated"
    ENTRY_WITHDRAWN = "entry_withdrawn"
    ENTRY_REENTERED = "entry_reentered"


class AuditEvent(Base):
    """One act, with its author and time. Rows are added and never changed."""

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_order", "competition_id", "created_at"),)

    id: Mapped[Id]
    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    act: Mapped[Act] = mapped_column(choice(Act, length=40, checked=False))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
