"""What submissions look like from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.api.submissions.quota import Quota
from services.core.board.order import time_ratio
from services.core.board.shown import ScoreForm
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
from services.core.models.stored import HistogramsForm
from services.core.submission.certificate import Claim

__all__ = [
    "CheckOut",
    "ComparedOut",
    "ComparisonOut",
    "DetailsOut",
    "EventOut",
    "FailureOut",
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


class ScoreOut(ScoreForm):
    """A score that is kept."""

    run_s: float = Field(description="Mean wall clock of one unlearning run.")
    time_ratio: float | None = Field(description="run_s over that of the phase's retraining reference, as of now.")
    created_at: datetime

    @classmethod
    def of(cls, score: Score, retrain_s: float | None) -> Self:
        form = ScoreForm.model_validate(score)
        return cls(**dict(form), time_ratio=time_ratio(score.run_s, retrain_s), created_at=score.created_at)


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


class DetailsOut(BaseModel):
    """What the runs of a scored submission were like. Shown where the phase's data are not hidden."""

    metric: str
    run_s: list[float] = Field(description="Wall clock of each run, in the order of their seeds.")
    peak_memory_bytes: int | None = Field(
        description="Of the largest process of any run, the GPU's not counted. Null for runs of before it was kept."
    )
    histograms: HistogramsForm | None = Field(description="Null for scores of before they were kept.")


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
    provenance: dict[str, str] = Field(description="Where and how it ran, once it has.")
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
            claim=submission.claim,
            score=ScoreOut.of(score, retrain_s) if score else None,
            other_scores=[ScoreOut.of(other, retrain_s) for other in others],
        )


def _failure(evaluation: Evaluation) -> FailureOut | None:
    if evaluation.failure_kind is None:
        return None
    return FailureOut(kind=evaluation.failure_kind, message=evaluation.failure_message or "")
