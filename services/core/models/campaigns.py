"""Rescorings of a phase, called campaigns in the code."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.models.accounts import Team
from services.core.models.columns import Id, choice
from services.core.models.competitions import Phase
from services.core.models.stored import PlaceForm, PreviewForm, StoredJson
from services.core.models.submissions import Reference
from services.core.store.database import Base, utc_now

__all__ = ["Campaign", "CampaignMove", "CampaignState", "ReRun"]


class CampaignState(StrEnum):
    """The states of a rescoring. Before publication it can be cancelled; afterwards it can be undone, newest first."""

    PREPARING = "preparing"  # runs are in progress, or scores are being computed
    READY = "ready"  # all scores are there, for the organiser to review
    PUBLISHING = "publishing"  # an organiser published it; the scorer moves the pointers
    PUBLISHED = "published"
    UNDOING = "undoing"  # an organiser undid it; the scorer moves the pointers back
    UNDONE = "undone"
    CANCELLED = "cancelled"

    @classmethod
    def open(cls) -> "tuple[CampaignState, ...]":
        """List the states before publication."""
        return cls.PREPARING, cls.READY, cls.PUBLISHING

    @classmethod
    def in_force(cls) -> "tuple[CampaignState, ...]":
        """List the states in which its scores and runs count."""
        return cls.PUBLISHED, cls.UNDOING

    @classmethod
    def under_way(cls) -> "tuple[CampaignState, ...]":
        """List the states in which no other rescoring of the phase may begin, nor be undone."""
        return *cls.open(), cls.UNDOING


_UNDER_WAY = f"state IN ({', '.join(repr(state.value) for state in CampaignState.under_way())})"


class Campaign(Base):
    """One rescoring: a phase's leaderboard by another metric or from new runs, prepared, reviewed, then published."""

    __tablename__ = "campaigns"
    __table_args__ = (
        Index(
            "uq_campaigns_open",
            "phase_id",
            unique=True,
            sqlite_where=text(_UNDER_WAY),
            postgresql_where=text(_UNDER_WAY),
        ),
    )

    id: Mapped[Id]
    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id"), index=True)
    metric: Mapped[str] = mapped_column(String(63))
    metric_before: Mapped[str] = mapped_column(String(63))
    re_run: Mapped[bool]  # whether every submission on the leaderboard runs again, with new seeds
    state: Mapped[CampaignState] = mapped_column(choice(CampaignState), default=CampaignState.PREPARING)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    acted_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))  # who published or undid it last
    runs_due: Mapped[bool] = mapped_column(default=False)  # its runs are to be queued; once it is cancelled, ended
    done: Mapped[int] = mapped_column(default=0)  # evaluations that had a score by its metric when last counted
    total: Mapped[int] = mapped_column(default=0)  # those that will have one
    unscorable: Mapped[dict[UUID, str]] = mapped_column(
        StoredJson(dict[UUID, str]), default=dict
    )  # for each evaluation left out, the reason
    inputs: Mapped[int] = mapped_column(default=0)  # counts the changes of what its preview shows, beside pointers
    preview: Mapped[PreviewForm | None] = mapped_column(StoredJson(PreviewForm))  # once it was computed
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    published_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]

    phase: Mapped[Phase] = relationship()

    @property
    def set_aside(self) -> set[UUID]:
        """The evaluations that this rescoring leaves out."""
        return set(self.unscorable)


class CampaignMove(Base):
    """The effect of a rescoring on one team, from position 1: the greatest first."""

    __tablename__ = "campaign_moves"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id"))
    reference: Mapped[Reference] = mapped_column(choice(Reference))
    before: Mapped[PlaceForm | None] = mapped_column(StoredJson(PlaceForm))
    after: Mapped[PlaceForm | None] = mapped_column(StoredJson(PlaceForm))
    ranks_up: Mapped[int | None]
    separated: Mapped[bool]
    re_run_failed: Mapped[bool]

    team: Mapped[Team] = relationship()


class ReRun(Base):
    """In a rescoring with new runs, the evaluation that replaces another one."""

    __tablename__ = "re_runs"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    replaced_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id"), primary_key=True)
    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id"), unique=True)
