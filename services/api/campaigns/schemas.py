"""The JSON forms of rescorings."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.api.kit.schemas import Input
from services.api.phases.schemas import MetricName
from services.core.models import Campaign, CampaignMove, CampaignState, Reference
from services.core.models.stored import PlaceForm

__all__ = ["CampaignDetail", "CampaignOut", "MoveOut", "NewCampaign", "PreviewOut", "UnscorableOut"]


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
    done: int = Field(description="Evaluations that had a score by the metric when they were last counted.")
    total: int = Field(description="Evaluations that will have a score by the metric; 0 before they are counted.")
    created_at: datetime
    published_at: datetime | None
    undone_at: datetime | None

    @classmethod
    def of(cls, campaign: Campaign) -> Self:
        """Make the JSON form of a rescoring."""
        own = CampaignOut.model_fields.keys() - {"competition", "phase"}
        plain = {name: getattr(campaign, name) for name in own}
        phase = campaign.phase
        return cls(**plain, competition=phase.competition.slug, phase=phase.slug)


class MoveOut(BaseModel):
    """The effect of a rescoring on one team."""

    team: str
    reference: Reference
    before: PlaceForm | None
    after: PlaceForm | None
    ranks_up: int | None = Field(description="The number of ranks it rises; negative if it falls.")
    separated: bool = Field(description="Whether the intervals of both ranks do not overlap.")
    re_run_failed: bool = Field(description="Whether its re-run failed, so that it keeps its previous score.")

    @classmethod
    def of(cls, move: CampaignMove) -> Self:
        """Make the JSON form of a move."""
        return cls(
            team=move.team.name,
            reference=move.reference,
            before=move.before,
            after=move.after,
            ranks_up=move.ranks_up,
            separated=move.separated,
            re_run_failed=move.re_run_failed,
        )


class PreviewOut(BaseModel):
    """What a rescoring does in all."""

    model_config = ConfigDict(from_attributes=True)

    entries: int = Field(description="Entries of the leaderboard before or after.")
    moved: int = Field(description="Entries that come to another rank, onto the leaderboard or off it.")
    separated: int = Field(description="Entries whose intervals of rank before and after do not overlap.")


class UnscorableOut(BaseModel):
    """A submission that a rescoring's metric cannot score."""

    team: str
    submission: str
    submission_id: UUID
    reason: str


class CampaignDetail(CampaignOut):
    """A rescoring with its effect on the leaderboard; `/moves` lists the effect on each team."""

    preview: PreviewOut | None = Field(description="Null until it is computed, seconds after all scores are there.")
    unscorable: list[UnscorableOut] = Field(
        description="Submissions this metric cannot score. The team's next-best entry is shown instead; "
        "a failed re-run keeps its previous score."
    )
