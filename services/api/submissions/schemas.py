"""What submissions look like from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.api.submissions.quota import Quota
from services.core.board.order import time_ratio
from services.core.models import (
    Evaluation,
    EventKind,
    FailureKind,
    Reference,
    Score,
    Submission,
    SubmissionKind,
    SubmissionState,
    Team,
)
from services.core.submission.certificate import Claim

__all__ = [
    "CertificateOut",
    "CheckOut",
    "ComparedOut",
    "ComparisonOut",
    "ConfidencesOut",
    "DetailsOut",
    "EventOut",
    "ExampleOut",
    "FailureOut",
    "HistogramsOut",
    "QuotaOut",
    "ScoreOut",
    "SubmissionOut",
]


class QuotaOut(BaseModel):
    """What a team may still submit to a phase; its clock is the server's."""

    team: str
    quota_per_day: int
    left: int = Field(description="Submissions possible now, of those of any 24 hours.")
    next_slot_at: datetime | None = Field(description="When one is possible again; null while one is, or if never.")

    @classmethod
    def of(cls, team: Team, quota: Quota) -> Self:
        waits = quota.left == 0
        return cls(
            team=team.name,
            quota_per_day=quota.per_day,
            left=quota.left,
            next_slot_at=quota.free_at if waits else None,
        )


class CheckOut(BaseModel):
    """What a file would be as a submission: it passed every check that is made without running it."""

    kind: SubmissionKind
    sha256: str
    size_bytes: int
    claim: Claim | None = Field(description="The certificate that its module claims to have.")
    submitted_as: UUID | None = Field(description="One's own submission of these very bytes; it would share its runs.")


class FailureOut(BaseModel):
    kind: FailureKind
    message: str


class CertificateOut(BaseModel):
    """A claimed certificate beside the accountant's epsilon and what the runs prove; epsilons in nats."""

    epsilon: float = Field(description="As claimed.")
    delta: float
    accountant_epsilon: float | None = Field(description="Of the method with the steps that the entry says it takes.")
    audited_epsilon: float | None = Field(description="Sound lower bound, 95 %: above the claim, the claim is false.")
    largest_auditable: float | None = Field(description="What a perfect attack on so many runs would prove.")
    notes: list[str] = Field(description="Why a number is missing.")

    @classmethod
    def of(cls, score: Score) -> Self | None:
        return None if score.certificate is None else cls.model_validate(score.certificate)


class ScoreOut(BaseModel):
    metric: str
    forgetting_quality: float
    forgetting_quality_low: float
    forgetting_quality_high: float
    utility: float
    utility_low: float
    utility_high: float
    final_score: float
    ci_low: float
    ci_high: float
    generalisation_low: float | None
    generalisation_high: float | None
    ceiling: float | None
    ceiling_low: float | None
    ceiling_high: float | None
    seeds: int
    distinct_models: int
    effective_models: int
    run_s: float
    time_ratio: float | None = Field(description="run_s over that of the phase's retraining reference, as of now.")
    flags: list[str]
    suites: dict[str, dict[str, float | None]]
    certificate: CertificateOut | None
    created_at: datetime

    @classmethod
    def of(cls, score: Score, retrain_s: float | None) -> Self:
        derived = {"time_ratio": time_ratio(score.run_s, retrain_s), "certificate": CertificateOut.of(score)}
        return cls(**{name: getattr(score, name) for name in cls.model_fields if name not in derived}, **derived)


class ComparedOut(BaseModel):
    """One of two submissions, as a board names it."""

    submission_id: UUID
    name: str
    team: str
    final_score: float

    @classmethod
    def of(cls, submission: Submission, score: Score) -> Self:
        return cls(
            submission_id=submission.id,
            name=submission.name,
            team=submission.team.name,
            final_score=score.final_score,
        )


class ComparisonOut(BaseModel):
    """The first submission's final score minus the second's, both held against the same oracle."""

    first: ComparedOut
    second: ComparedOut
    metric: str
    difference: float
    low: float = Field(description="95 % interval of the difference, were both run again.")
    high: float
    p_better: float = Field(description="Probability that the first is better, were both run again.")
    p_better_elsewhere: float | None = Field(description="The same, were other subjects to be forgotten, too.")
    separated: bool = Field(description="Whether the difference is beyond noise at the 5 % level.")


class ConfidencesOut(BaseModel):
    """Confidences of both sides, in nats, counted in the same bins of equal width."""

    low: float = Field(description="Where the first bin begins.")
    high: float = Field(description="Where the last bin ends. What lies beyond either end is counted in its bin.")
    unlearned: list[int]
    oracle: list[int]


class ExampleOut(BaseModel):
    """One forget example among the best, the median or the worst; all where there are few."""

    place: Literal["best", "median", "worst", "all"]
    example: int
    epsilon: float
    confidences: ConfidencesOut


class HistogramsOut(BaseModel):
    """What a score is made of, counted: by its own metric."""

    bucket: float = Field(description="Width of a bucket of epsilon, in nats.")
    epsilons: list[int] = Field(description="Examples in each bucket; the last ones lie beyond all that earn points.")
    confidences: ConfidencesOut = Field(description="Over all models and all forget examples.")
    examples: list[ExampleOut]


class DetailsOut(BaseModel):
    """What the runs of a scored submission were like. Shown where the phase's data are not hidden."""

    metric: str
    run_s: list[float] = Field(description="Wall clock of each run, in the order of their seeds.")
    peak_memory_bytes: int | None = Field(
        description="Of the largest process of any run, the GPU's not counted. Null for runs of before it was kept."
    )
    histograms: HistogramsOut | None = Field(description="Null for scores of before they were kept.")


class EventOut(BaseModel):
    """What the data of an event hold. Its kind is the event's name, its sequence number the event's id."""

    kind: EventKind = Field(description="The event's name; not among its data.")
    at: datetime
    state: SubmissionState | None = Field(None, description="The state that begins; absent if it stays.")
    ended: bool | None = Field(None, description="Whether nothing more is to come; with `state`.")
    cancellable: bool | None = Field(None, description="Whether runs are left to stop; with `state`.")
    seeds: int | None = None
    seeds_done: int | None = None
    checkpoints_written: int | None = None
    failure: FailureKind | None = None
    message: str | None = None
    models: int | None = Field(None, description="Runs that a provisional score rests on.")
    metric: str | None = None
    final_score: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None


class SubmissionOut(BaseModel):
    id: UUID
    competition: str
    phase: str
    team: str
    name: str
    filename: str
    kind: SubmissionKind
    reference: Reference
    sha256: str
    size_bytes: int
    submitted_at: datetime
    evaluation_id: UUID
    state: SubmissionState
    ended: bool = Field(description="Whether nothing more is to come.")
    succeeded: bool = Field(description="Whether it was scored, or a notebook that was only checked ran to its end.")
    cancellable: bool = Field(description="Whether runs are left to stop.")
    seeds: int
    seeds_done: int
    checkpoints_written: int = Field(description="By a notebook so far; they are measured once it has ended.")
    started_at: datetime | None
    finished_at: datetime | None
    failure: FailureOut | None
    provenance: dict[str, Any] = Field(description="Where and how it ran, once it has.")
    has_notebook: bool = Field(description="Whether its executed notebook can be downloaded.")
    has_details: bool = Field(description="Whether histograms and run times can be read.")
    has_log: bool = Field(description="Whether the last that it printed can be read.")
    on_board: bool = Field(description="Whether it stands for its team on the board now.")
    claim: Claim | None = Field(description="The certificate that its module claims to have.")
    score: ScoreOut | None
    other_scores: list[ScoreOut] = Field(description="By the metrics that the phase does not rank by.")

    @classmethod
    def of(
        cls,
        submission: Submission,
        score: Score | None,
        others: Sequence[Score] = (),
        *,
        on_board: bool,
        sees_data: bool,
        retrain_s: float | None,
    ) -> Self:
        evaluation = submission.evaluation
        state = evaluation.shown_state
        return cls(
            id=submission.id,
            competition=submission.phase.competition.slug,
            phase=submission.phase.slug,
            team=submission.team.name,
            name=submission.name,
            filename=submission.filename,
            kind=submission.kind,
            reference=submission.reference,
            sha256=submission.blob,
            size_bytes=submission.size_bytes,
            submitted_at=submission.created_at,
            evaluation_id=evaluation.id,
            state=state,
            ended=state.ended,
            succeeded=state.succeeded,
            cancellable=state.cancellable,
            seeds=evaluation.seeds,
            seeds_done=evaluation.seeds_done,
            checkpoints_written=evaluation.checkpoints_written,
            started_at=evaluation.started_at,
            finished_at=evaluation.finished_at,
            failure=_failure(evaluation),
            provenance=evaluation.provenance,
            has_notebook=evaluation.executed_blob is not None and not submission.phase.data_hidden,
            has_details=sees_data and score is not None,
            has_log=sees_data and evaluation.log_blob is not None,
            on_board=on_board,
            claim=submission.claim and Claim.model_validate(submission.claim),
            score=ScoreOut.of(score, retrain_s) if score else None,
            other_scores=[ScoreOut.of(other, retrain_s) for other in others],
        )


def _failure(evaluation: Evaluation) -> FailureOut | None:
    if evaluation.failure_kind is None:
        return None
    return FailureOut(kind=evaluation.failure_kind, message=evaluation.failure_message or "")
