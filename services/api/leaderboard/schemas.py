"""What a leaderboard looks like from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.api.submissions.schemas import CertificateOut
from services.core.board.ranking import Standing, Unranked
from services.core.models import LeaderboardEntry, Reference, Score

__all__ = ["EntryOut", "LeaderboardOut"]


class OtherScoreOut(BaseModel):
    """What a metric that the board does not rank by says of an entry."""

    forgetting_quality: float
    utility: float
    final_score: float
    ci_low: float
    ci_high: float
    ceiling: float | None

    @classmethod
    def of(cls, score: Score) -> Self:
        return cls(**{name: getattr(score, name) for name in cls.model_fields})


class EntryOut(BaseModel):
    entry: str = Field(description="The team.")
    submission_id: UUID
    submission: str = Field(description="The name its team gave it.")
    reference: Reference
    rank: int | None
    unranked_reason: Unranked | None
    rank_best: int | None = Field(description="The best rank that its noise allows; 95 % with the worst.")
    rank_worst: int | None
    tie_group: int | None = Field(description="Ranked entries of one group are not separated by their noise.")
    forgetting_quality: float
    forgetting_quality_low: float
    forgetting_quality_high: float
    utility: float
    utility_low: float
    utility_high: float
    final_score: float
    ci_low: float
    ci_high: float
    generalisation_low: float | None = Field(description="95 % interval over other subjects to forget, too.")
    generalisation_high: float | None
    ceiling: float | None = Field(description="F of a second oracle, where the metric is relative to it.")
    seeds: int
    distinct_models: int
    effective_models: int = Field(description="Near-duplicates counted once.")
    run_s: float = Field(description="Mean wall clock of one unlearning run.")
    time_ratio: float | None = Field(description="run_s over that of the phase's retraining reference.")
    wall_s: float | None = Field(description="From the start of the evaluation to its end.")
    flags: list[str]
    other_scores: dict[str, OtherScoreOut] = Field(description="By the metrics that the board does not rank by.")
    suites: dict[str, dict[str, float | None]] = Field(description="Secondary columns, by suite; never ranked by.")
    certificate: CertificateOut | None = Field(description="Of an entry that claims one.")
    submitted_at: datetime

    @classmethod
    def of(cls, row: LeaderboardEntry, standing: Standing, others: Sequence[Score]) -> Self:
        score = row.score
        evaluation = row.submission.evaluation
        started_at, finished_at = evaluation.started_at, evaluation.finished_at
        return cls(
            entry=row.team.name,
            submission_id=row.submission_id,
            submission=row.submission.name,
            reference=row.reference,
            rank=standing.rank,
            unranked_reason=standing.unranked,
            rank_best=standing.rank_interval and standing.rank_interval.best,
            rank_worst=standing.rank_interval and standing.rank_interval.worst,
            tie_group=standing.tie_group,
            forgetting_quality=score.forgetting_quality,
            forgetting_quality_low=score.forgetting_quality_low,
            forgetting_quality_high=score.forgetting_quality_high,
            utility=score.utility,
            utility_low=score.utility_low,
            utility_high=score.utility_high,
            final_score=row.final_score,
            ci_low=score.ci_low,
            ci_high=score.ci_high,
            generalisation_low=score.generalisation_low,
            generalisation_high=score.generalisation_high,
            ceiling=score.ceiling,
            seeds=score.seeds,
            distinct_models=score.distinct_models,
            effective_models=score.effective_models,
            run_s=score.run_s,
            time_ratio=standing.time_ratio,
            wall_s=(finished_at - started_at).total_seconds() if started_at and finished_at else None,
            flags=score.flags,
            other_scores={other.metric: OtherScoreOut.of(other) for other in others},
            suites=score.suites,
            certificate=CertificateOut.of(score),
            submitted_at=row.submitted_at,
        )


class LeaderboardOut(BaseModel):
    competition: str
    phase: str
    metric: str
    max_time_ratio: float
    as_of: datetime | None = Field(description="When this board last changed; null for an empty one.")
    total: int = Field(description="Entries on all pages.")
    items: list[EntryOut]
    own: list[EntryOut] = Field(description="Of the caller's teams, wherever they stand; with the first page alone.")
    next: str | None
