"""What campaigns look like from outside."""

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
    metric: MetricName
    re_run: bool = Field(
        False,
        description="Run all that stands again, under fresh seeds. The new run counts, be it better or worse.",
    )


class CampaignOut(BaseModel):
    id: UUID
    competition: str
    phase: str
    metric: str
    metric_before: str
    re_run: bool
    state: CampaignState
    done: int = Field(description="Evaluations that have a score by the metric.")
    total: int = Field(description="Evaluations that will have one.")
    created_at: datetime
    published_at: datetime | None
    undone_at: datetime | None

    @classmethod
    def of(cls, campaign: Campaign, progress: Progress) -> Self:
        plain = {
            name: getattr(campaign, name)
            for name in ("id", "metric", "metric_before", "re_run", "state", "created_at", "published_at", "undone_at")
        }
        phase = campaign.phase
        return cls(
            **plain, competition=phase.competition.slug, phase=phase.slug, done=progress.done, total=progress.total
        )


class PlaceOut(BaseModel):
    """Where a team stands on one board."""

    rank: int | None
    rank_best: int | None = Field(description="95 % with the worst.")
    rank_worst: int | None
    final_score: float
    ci_low: float
    ci_high: float
    submission_id: UUID


class MoveOut(BaseModel):
    """What a campaign does to one team."""

    team: str
    reference: Reference
    before: PlaceOut | None
    after: PlaceOut | None
    ranks_up: int | None = Field(description="By how many ranks it rises; negative where it falls.")
    separated: bool = Field(description="Whether the intervals of both ranks have nothing in common.")
    re_run_failed: bool = Field(description="Its new run failed, so that the old one goes on counting.")


class UnscorableOut(BaseModel):
    """A submission that has no score by a campaign's metric, so that it does not stand on the board by it."""

    team: str
    submission: str
    submission_id: UUID
    reason: str


class CampaignDetail(CampaignOut):
    moves: list[MoveOut] = Field(description="What it does to each team, in the order of the board with it.")
    unscorable: list[UnscorableOut] = Field(
        description="What cannot be scored by its metric. The team's next best stands; of a new run, the one before."
    )


class AuditOut(BaseModel):
    id: UUID
    act: Act
    by: str
    details: dict[str, Any]
    created_at: datetime

    @classmethod
    def of(cls, event: AuditEvent, username: str) -> Self:
        return cls(id=event.id, act=event.act, by=username, details=event.details, created_at=event.created_at)
