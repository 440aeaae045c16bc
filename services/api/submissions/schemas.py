"""What submissions look like from outside."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.core.models import Evaluation, FailureKind, Reference, Score, State, Submission, SubmissionKind
from services.core.submission_certificate import Claim

__all__ = ["CertificateOut", "ComparisonOut", "FailureOut", "ScoreOut", "SubmissionOut", "SubmissionState"]


class SubmissionState(StrEnum):
    """The evaluation's state, and `scored` once its score is there. The last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    MEASURED = "measured"
    SCORED = "scored"
    CHECKED = "checked"  # a notebook that was only tried out, and ran to its end
    FAILED = "failed"
    CANCELLED = "cancelled"


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
    time_ratio: float | None
    flags: list[str]
    suites: dict[str, dict[str, float | None]]
    certificate: CertificateOut | None
    created_at: datetime

    @classmethod
    def of(cls, score: Score) -> Self:
        plain = {name: getattr(score, name) for name in cls.model_fields if name != "certificate"}
        return cls(**plain, certificate=CertificateOut.of(score))


class ComparisonOut(BaseModel):
    """The first submission's final score minus the second's, both held against the same oracle."""

    metric: str
    difference: float
    low: float = Field(description="95 % interval of the difference, were both run again.")
    high: float
    p_better: float = Field(description="Probability that the first is better, were both run again.")
    p_better_elsewhere: float | None = Field(description="The same, were other subjects to be forgotten, too.")
    separated: bool = Field(description="Whether the difference is beyond noise at the 5 % level.")


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
    seeds: int
    seeds_done: int
    started_at: datetime | None
    finished_at: datetime | None
    failure: FailureOut | None
    provenance: dict[str, Any] = Field(description="Where and how it ran, once it has.")
    has_notebook: bool = Field(description="Whether its executed notebook can be downloaded.")
    claim: Claim | None = Field(description="The certificate that its module claims to have.")
    score: ScoreOut | None
    other_scores: list[ScoreOut] = Field(description="By the metrics that the phase does not rank by.")

    @classmethod
    def of(cls, submission: Submission, score: Score | None, others: Sequence[Score] = ()) -> Self:
        evaluation = submission.evaluation
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
            state=_state(evaluation, score),
            seeds=evaluation.seeds,
            seeds_done=evaluation.seeds_done,
            started_at=evaluation.started_at,
            finished_at=evaluation.finished_at,
            failure=_failure(evaluation),
            provenance=evaluation.provenance,
            has_notebook=evaluation.executed_blob is not None and not submission.phase.data_hidden,
            claim=submission.claim and Claim.model_validate(submission.claim),
            score=ScoreOut.of(score) if score else None,
            other_scores=[ScoreOut.of(other) for other in others],
        )


def _state(evaluation: Evaluation, score: Score | None) -> SubmissionState:
    if evaluation.state is State.MEASURED and evaluation.dry_run:
        return SubmissionState.CHECKED
    if evaluation.state is State.MEASURED and score is not None:
        return SubmissionState.SCORED
    return SubmissionState(evaluation.state.value)


def _failure(evaluation: Evaluation) -> FailureOut | None:
    if evaluation.failure_kind is None:
        return None
    return FailureOut(kind=evaluation.failure_kind, message=evaluation.failure_message or "")
