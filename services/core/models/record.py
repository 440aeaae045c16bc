"""The record: what organisers, operators and teams did that others must be able to trust."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from services.core.models.columns import Id, choice
from services.core.store.database import Base, utc_now

__all__ = ["Act", "AuditEvent"]


class Act(StrEnum):
    """The acts that are recorded."""

    SCORED = "scored"  # by a scorer, for nobody
    ACCOUNT_MADE = "account_made"
    ACCOUNT_ROLE_CHANGED = "account_role_changed"
    ACCOUNT_TRUSTED = "account_trusted"  # to publish benchmarks, or no longer
    ACCOUNT_DELETED = "account_deleted"  # by oneself
    BENCHMARK_PUBLISHED = "benchmark_published"  # from the command line, or by consent to an upload
    BENCHMARK_CONSENTED = "benchmark_consented"  # to publish an upload
    BENCHMARK_REFUSED = "benchmark_refused"  # an upload, by somebody who may publish it
    RESET_LINK_MADE = "reset_link_made"  # for somebody who lost a password
    COMPETITION_CREATED = "competition_created"
    COMPETITION_WEIGHED = "competition_weighed"
    COMPETITION_DELETED = "competition_deleted"
    IMAGE_ADDED = "image_added"  # to the pages of a competition
    IMAGE_REMOVED = "image_removed"
    FILE_APPLIED = "file_applied"
    PHASE_ADDED = "phase_added"
    PHASE_CHANGED = "phase_changed"
    REFERENCES_ASKED = "references_asked"  # rows that are missing or failed are to be made
    REFERENCES_MADE = "references_made"  # by a scorer, for nobody
    CAMPAIGN_STARTED = "campaign_started"
    CAMPAIGN_CANCELLED = "campaign_cancelled"
    CAMPAIGN_PUBLISHED = "campaign_published"
    CAMPAIGN_UNDONE = "campaign_undone"
    ANNOUNCED = "announced"
    WEBHOOK_ADDED = "webhook_added"
    WEBHOOK_REMOVED = "webhook_removed"
    ANNOUNCEMENT_RETRACTED = "announcement_retracted"
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
    MEMBER_ADDED = "member_added"
    MEMBER_REMOVED = "member_removed"
    OWNER_CHANGED = "owner_changed"
    REGISTRATION_CHANGED = "registration_changed"  # how people register
    REGISTRATION_ACCEPTED = "registration_accepted"
    REGISTRATION_REFUSED = "registration_refused"
    RULES_ACCEPTED = "rules_accepted"  # by a participant
    INVITATION_MADE = "invitation_made"
    INVITATION_REVOKED = "invitation_revoked"
    INVITATION_USED = "invitation_used"  # by a participant
    TEAM_TERMS_CHANGED = "team_terms_changed"  # of teams: how large, and merging until when
    TEAM_MADE = "team_made"  # by a participant, like all that follow about teams
    TEAM_RENAMED = "team_renamed"
    TEAM_JOINED = "team_joined"
    TEAM_LEFT = "team_left"
    TEAM_MEMBER_REMOVED = "team_member_removed"
    TEAM_HANDED_OVER = "team_handed_over"
    TEAM_INVITATION_MADE = "team_invitation_made"
    TEAM_INVITATION_REVOKED = "team_invitation_revoked"
    TEAM_OFFERED = "team_offered"
    TEAM_OFFER_ENDED = "team_offer_ended"
    TEAMS_MERGED = "teams_merged"
    ENTRY_SELECTED = "entry_selected"
    ENTRY_UNSELECTED = "entry_unselected"
    FINAL_STARTED = "final_started"
    FINAL_PUBLISHED = "final_published"
    FINAL_SEALED = "final_sealed"
    CODE_LICENSED = "code_licensed"  # by a participant
    CODE_LICENCE_WITHDRAWN = "code_licence_withdrawn"  # by a participant
    FINALIST_VERIFIED = "finalist_verified"
    FINALIST_REFUSED = "finalist_refused"
    FINALIST_REVIEWED_AGAIN = "finalist_reviewed_again"
    FINALIST_RUN_AGAIN = "finalist_run_again"
    MATRIX_STARTED = "matrix_started"
    MATRIX_CANCELLED = "matrix_cancelled"
    DATA_DELETED = "data_deleted"  # by an operator, as the competition's retention says


class AuditEvent(Base):
    """One act or score, with its author and time. Rows are added; number and hash come later, by `record.chain`."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_order", "competition_id", "created_at"),
        Index(
            "ix_audit_events_acts",
            "competition_id",
            "created_at",
            "id",
            sqlite_where=text("act <> 'scored'"),
            postgresql_where=text("act <> 'scored'"),
        ),
        Index("uq_audit_events_number", "number", unique=True),
        Index("ix_audit_events_subject", "subject_id"),
        Index(
            "ix_audit_events_waiting",
            "created_at",
            "id",
            sqlite_where=text("number IS NULL"),
            postgresql_where=text("number IS NULL"),
        ),
    )

    id: Mapped[Id]
    number: Mapped[int | None] = mapped_column(BigInteger)  # from 1 without gaps, once it is in the chain
    hash: Mapped[str | None] = mapped_column(String(64))
    competition_id: Mapped[UUID | None] = mapped_column(ForeignKey("competitions.id"))  # None: the installation's
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))  # None: a service
    subject_id: Mapped[UUID | None]  # what it is about; of `scored`, the score
    act: Mapped[Act] = mapped_column(choice(Act, length=40, checked=False))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
