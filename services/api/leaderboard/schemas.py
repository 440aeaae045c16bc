"""The JSON forms of leaderboards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Row

from services.core.board.shown import FiguresForm, ScoreForm
from services.core.models import Reference, Unranked

__all__ = ["EntryOut", "LeaderboardOut"]


class EntryOut(ScoreForm):
    """One entry: a team with its best score and its rank."""

    entry: str = Field(description="The team.")
    submission_id: UUID
    submission: str = Field(description="The name its team gave it.")
    reference: Reference
    rank: int | None
    unranked_reason: Unranked | None
    rank_best: int | None = Field(description="The best rank that its noise allows; 95% together with `rank_worst`.")
    rank_worst: int | None = Field(description="The worst rank that its noise allows.")
    tie_group: int | None = Field(description="Noise does not let the test separate ranked entries of one group.")
    run_s: float = Field(description="Mean wall-clock time of one run, in seconds.")
    time_ratio: float | None = Field(description="run_s divided by the run_s of the phase's retraining reference.")
    wall_s: float | None = Field(description="Seconds from the start of the evaluation to its end.")
    other_scores: dict[str, FiguresForm] = Field(
        description="Scores by the metrics that the leaderboard does not rank by."
    )
    submitted_at: datetime

    @staticmethod
    def of(place: Row[Any], others: Sequence[Row[Any]]) -> "EntryOut":
        """Make the JSON form of a place, as `service` selects it, with its entry's other scores.

        What the database holds was checked when it was written, and is not checked again.
        """
        fields = place._asdict()
        started_at, finished_at = place.started_at, place.finished_at
        return EntryOut.model_construct(
            None,
            **{name: fields[name] for name in SELECTED},
            entry=place.team,
            unranked_reason=place.unranked,
            certificate=place.certificate,
            wall_s=(finished_at - started_at).total_seconds() if started_at and finished_at else None,
            other_scores={other.metric: FiguresForm.model_construct(None, **other._asdict()) for other in others},
        )


SELECTED = EntryOut.model_fields.keys() - {"entry", "unranked_reason", "wall_s", "other_scores", "certificate"}


class LeaderboardOut(BaseModel):
    """One page of a leaderboard."""

    competition: str
    phase: str
    metric: str
    max_time_ratio: float
    as_of: datetime | None = Field(description="When this leaderboard last changed; null if it is empty.")
    behind: bool = Field(description="Whether it has changed since; a newer state is shown within seconds.")
    total: int = Field(description="Entries on all pages.")
    items: list[EntryOut]
    own: list[EntryOut] = Field(description="Entries of your teams, whatever their rank; only on the first page.")
    next: str | None
