"""The JSON forms of rescorings."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.api.competitions.schemas import MetricName
from services.api.kit.schemas import Input
from services.core.board.campaigns import Progress
from services.core.models import Act, AuditEvent, Campaign, CampaignState, Reference

__all__ = ["AuditOut", "CampaignDetail", "CampaignOut", "MoveOut", "NewCampaign", "PlaceOut", "UnscorableOut"]


class NewCampaign(Input):
    """The rescoring to begin."""

    metric: MetricName
    re_run: bool = Field(
        False,
        description="Re-run every entry on the leaderboard, under fresh seeds. The new runs count, better or worse.",
    )


class CampaignOut(BaseModel):
    """A rescoring of a phase."""

    id: UUID
    competition: str
    phase: str
    metric: str
    metric_before: str
    re_run: bool
    state: CampaignState
    done: int = Field(description="Evaluations that have a score by the metric already.")
    total: int = Field(description="Evaluations that will have a score by the metric.")
    created_at: datetime
    published_at: datetime | None
    undone_at: datetime | None

    @classmethod
    def of(cls, campaign: Campaign, progress: Progress) -> Self:
        """Make the JSON form of a rescoring and its progress."""
        plain = {
            name: getattr(campaign, name)
            for name in ("id", "metric", "metric_before", "re_run", "state", "created_at", "published_at", "undone_at")
        }
        phase = campaign.phase
        return cls(
            **plain, competition=phase.competition.slug, phase=phase.slug, done=progress.done, total=progress.total
        )


class PlaceOut(BaseModel):
    """The place of a team on one leaderboard."""

    rank: int | None
    rank_best: int | None = Field(description="The best rank that its noise allows; 95% together with `rank_worst`.")
    rank_worst: int | None = Field(description="The worst rank that its noise allows.")
    final_score: float
    ci_low: float
    ci_high: float
    submission_id: UUID


class MoveOut(BaseModel):
    """The effect of a rescoring on one team."""

    team: str
    reference: Reference
    before: PlaceOut | None
    after: PlaceOut | None
    ranks_up: int | None = Field(description="The number of ranks it rises; negative if it falls.")
    separated: bool = Field(description="Whether the intervals of both ranks do not overlap.")
    re_run_failed: bool = Field(description="Whether its re-run failed, so that it keeps its previous score.")


class UnscorableOut(BaseModel):
    """A submission that a rescoring's metric cannot score."""

    team: str
    submission: str
    submission_id: UUID
    reason: str


class CampaignDetail(CampaignOut):
    """A rescoring with its effect on the leaderboard."""

    moves: list[MoveOut] = Field(description="The effect on each team, in the order of the rescored leaderboard.")
    unscorable: list[UnscorableOut] = Field(
        description="Submissions this metric cannot score. The team's next-best entry is shown instead; "
        "a failed re-run keeps its previous score."
    )


class AuditOut(BaseModel):
    """An act of an organiser or operator on a competition."""

    id: UUID
    act: Act
    by: str
    details: dict[str, Any]
    created_at: datetime

    @classmethod
    def of(cls, event: AuditEvent, username: str) -> Self:
        """Make the JSON form of an act."""
        return cls(id=event.id, act=event.act, by=username, details=event.details, created_at=event.created_at)
