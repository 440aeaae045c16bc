"""The JSON forms of leaderboards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.core.board.ranking import Standing, Unranked
from services.core.board.shown import FiguresForm, ScoreForm
from services.core.models import LeaderboardEntry, Reference, Score

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

    @classmethod
    def of(cls, row: LeaderboardEntry, standing: Standing, others: Sequence[Score]) -> Self:
        """Make the JSON form of an entry with its rank and its other scores."""
        score = row.score
        evaluation = row.submission.evaluation
        started_at, finished_at = evaluation.started_at, evaluation.finished_at
        return cls(
            **dict(ScoreForm.model_validate(score)),
            entry=row.team.name,
            submission_id=row.submission_id,
            submission=row.submission.name,
            reference=row.reference,
            rank=standing.rank,
            unranked_reason=standing.unranked,
            rank_best=standing.rank_interval and standing.rank_interval.best,
            rank_worst=standing.rank_interval and standing.rank_interval.worst,
            tie_group=standing.tie_group,
            time_ratio=standing.time_ratio,
            wall_s=(finished_at - started_at).total_seconds() if started_at and finished_at else None,
            other_scores={other.metric: FiguresForm.model_validate(other) for other in others},
            submitted_at=row.submitted_at,
        )


class LeaderboardOut(BaseModel):
    """One page of a leaderboard."""

    competition: str
    phase: str
    metric: str
    max_time_ratio: float
    as_of: datetime | None = Field(description="When this leaderboard last changed; null if it is empty.")
    total: int = Field(description="Entries on all pages.")
    items: list[EntryOut]
    own: list[EntryOut] = Field(description="Entries of your teams, whatever their rank; only on the first page.")
    next: str | None
