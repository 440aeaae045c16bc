"""The JSON forms of submissions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.api.finals.schemas import FinalMarkOut
from services.api.judging.schemas import ExclusionOut
from services.api.submissions.quota import Quota
from services.core.board.order import Retraining, time_ratio
from services.core.board.shown import ScoreForm
from services.core.models import (
    Evaluation,
    EventKind,
    Exclusion,
    FailureKind,
    Reference,
    Score,
    Submission,
    SubmissionKind,
    SubmissionNote,
    SubmissionState,
    Team,
)
from services.core.queue.places import QueuePlace
from services.core.submission.certificate import Claim

__all__ = [
    "EventOut",
    "FailureOut",
    "QueuePlaceOut",
    "QuotaOut",
    "Rights",
    "ScoreOut",
    "SubmissionOut",
    "SubmittedOut",
    "Warnings",
]

Warnings = Annotated[
    list[str],
    Field(description="What may make its runs fail in this phase, such as a call that needs a GPU on a CPU."),
]


class SpanOut(BaseModel):
    """An expected moment with its 90% interval."""

    model_config = ConfigDict(from_attributes=True)

    expected: datetime
    low: datetime
    high: datetime


class QueuePlaceOut(BaseModel):
    """A place in the queue, if nobody submits more."""

    model_config = ConfigDict(from_attributes=True)

    ahead: int = Field(description="Shards, of a few runs each, that run before its first.")
    more: bool = Field(description="Whether more are ahead than are counted.")
    starts: SpanOut | None = Field(description="Null if it has started, or too little ran lately to tell.")
    ends: SpanOut | None = Field(description="Null if too little ran lately to tell.")


class QuotaOut(BaseModel):
    """The quota of a team in a phase, by the server's clock."""

    team: str
    quota_per_day: int
    left: int = Field(description="Submissions that the team may still make now.")
    left_in_all: int | None = Field(description="Submissions to this phase that the team has left; null: no limit.")
    next_slot_at: datetime | None = Field(
        description="When the next submission is possible; null if one is possible now, or never again."
    )
    place: QueuePlaceOut = Field(description="The place in the queue that a submission would have now.")

    @classmethod
    def of(cls, team: Team, quota: Quota, place: QueuePlace) -> Self:
        """Make the JSON form of a team's quota."""
        waits = quota.left == 0
        return cls(
            team=team.name,
            quota_per_day=quota.per_day,
            left=quota.left,
            left_in_all=quota.left_in_all,
            next_slot_at=quota.free_at if waits else None,
            place=QueuePlaceOut.model_validate(place),
        )


class FailureOut(BaseModel):
    """Why a submission failed."""

    kind: FailureKind
    message: str

    @classmethod
    def of(cls, evaluation: Evaluation) -> Self | None:
        """Make the JSON form of a failure; None of an evaluation that did not fail."""
        if evaluation.failure_kind is None:
            return None
        return cls(kind=evaluation.failure_kind, message=evaluation.failure_message or "")


class ScoreOut(ScoreForm):
    """A score of a submission."""

    run_s: float = Field(description="Mean wall-clock time of one run, in seconds.")
    time_ratio: float | None = Field(
        description="Share of the fastest full retraining on the phase's board: `cost.ratio` divided by "
        "`retraining_cost`; without a cost, run_s divided by `retraining_s`."
    )
    time_ratio_low: float | None = Field(description="Lower end of its approximate 95% interval; null without a cost.")
    time_ratio_high: float | None = Field(description="Upper end of that interval.")
    retraining_cost: float = Field(
        description="What the fastest full retraining on the phase's board takes of the platform's own, at most 1."
    )
    retraining_s: float | None = Field(
        description="Time of one run of the fastest full retraining on the phase's board, in seconds; null if none."
    )
    created_at: datetime

    @classmethod
    def of(cls, score: Score, retraining: Retraining) -> Self:
        """Make the JSON form of a score."""
        form = ScoreForm.model_validate(score)
        ratio = time_ratio(score, retraining)
        return cls(
            **dict(form),
            time_ratio=ratio.value,
            time_ratio_low=ratio.low,
            time_ratio_high=ratio.high,
            retraining_cost=retraining.cost,
            retraining_s=retraining.run_s,
            created_at=score.created_at,
        )


class EventOut(BaseModel):
    """The data of an event. The event's name is its kind; its id is its sequence number."""

    kind: EventKind = Field(description="The event's name; it is not in the data.")
    at: datetime
    state: SubmissionState | None = Field(None, description="The new state; absent if it stays.")
    ended: bool | None = Field(None, description="Whether no more events follow; present with `state`.")
    cancellable: bool | None = Field(None, description="Whether it can still be cancelled; present with `state`.")
    seeds: int | None = None
    seeds_done: int | None = None
    checkpoints_written: int | None = None
    failure: FailureKind | None = None
    message: str | None = None
    models: int | None = Field(None, description="Runs behind a provisional score.")
    metric: str | None = None
    final_score: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None


class Rights(BaseModel):
    """What the reader may do with a submission, besides reading it."""

    annotates: bool = Field(description="Whether you may write its note and tags.")
    withdraws: bool = Field(description="Whether you may withdraw it, or let it compete again.")
    cancels: bool = Field(description="Whether you may stop its evaluation.")
    judges: bool = Field(description="Whether you may disqualify it.")


class SubmissionOut(BaseModel):
    """A submission, the state of its evaluation, and its scores."""

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
    ended: bool = Field(description="Whether it is scored, checked, failed or cancelled, so nothing more follows.")
    succeeded: bool = Field(description="Whether it was scored, or was a dry run or rehearsal that went well.")
    cancellable: bool = Field(description="Whether it can still be cancelled.")
    seeds: int
    seeds_done: int
    checkpoints_written: int = Field(
        description="Checkpoints that a notebook has written so far; they are measured after it ends."
    )
    place: QueuePlaceOut | None = Field(
        None, description="Its place in the queue; null if no run of it waits, and in lists of submissions."
    )
    started_at: datetime | None
    finished_at: datetime | None
    failure: FailureOut | None
    provenance: dict[str, str] = Field(description="Where and how it ran; empty until then.")
    has_notebook: bool = Field(description="Whether its executed notebook can be downloaded.")
    has_details: bool = Field(description="Whether histograms and run times can be read.")
    has_losses: bool = Field(description="Whether its losses by forget example can be read.")
    has_log: bool = Field(description="Whether the end of its output can be downloaded.")
    on_board: bool = Field(description="Whether it is its team's entry on the leaderboard now.")
    exclusions: list[ExclusionOut] = Field(description="Why it is off the board: disqualified, or withdrawn.")
    reinstatements: list[ExclusionOut] = Field(description="Disqualifications of it that were taken back.")
    rights: Rights
    has_runs: bool = Field(description="Whether a table of its runs can be downloaded.")
    has_measurements: bool = Field(description="Whether its measurements can be downloaded.")
    note: str = Field(description="What its team noted about it; empty if nothing.")
    tags: list[str] = Field(description="Tags of its team.")
    shared: bool = Field(description="Whether its team shows its score to everybody, at `/shared/ID`.")
    finals: list[FinalMarkOut] = Field(description="Finals that it can enter, and whether it does.")
    claim: Claim | None = Field(description="The certificate that its module claims to have.")
    score: ScoreOut | None
    other_scores: list[ScoreOut] = Field(description="Scores by the metrics that the phase does not rank by.")

    @classmethod
    def of(
        cls,
        submission: Submission,
        score: Score | None,
        others: Sequence[Score] = (),
        *,
        on_board: bool,
        sees_data: bool,
        retraining: Retraining,
        exclusions: Sequence[Exclusion],
        rights: Rights,
        finals: Sequence[FinalMarkOut],
        note: SubmissionNote | None,
        shared: bool,
    ) -> Self:
        """Make the JSON form of a submission with its scores."""
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
            failure=FailureOut.of(evaluation),
            provenance=evaluation.provenance,
            has_notebook=sees_data and evaluation.executed_blob is not None,
            has_details=sees_data and score is not None,
            has_losses=evaluation.has_losses and not submission.phase.data_hidden,
            has_log=sees_data and evaluation.log_blob is not None,
            has_runs=sees_data and evaluation.seeds_done > 0,
            has_measurements=sees_data and evaluation.measurements_blob is not None,
            note=note.note if note else "",
            tags=note.tags if note else [],
            shared=shared,
            on_board=on_board,
            exclusions=[ExclusionOut.of(one) for one in exclusions if one.ended_at is None],
            reinstatements=[ExclusionOut.of(one) for one in exclusions if one.ended_at is not None],
            rights=rights,
            finals=list(finals),
            claim=submission.claim,
            score=ScoreOut.of(score, retraining) if score else None,
            other_scores=[ScoreOut.of(other, retraining) for other in others],
        )


class SubmittedOut(SubmissionOut):
    """A submission that was just accepted, with the warnings of its file's check."""

    warnings: Warnings
