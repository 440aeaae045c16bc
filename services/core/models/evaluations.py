"""Running submissions: evaluations, the shards that workers lease, measurements, and the events that people watch."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    and_,
    case,
    select,
    type_coerce,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import TypeEngine

from services.core.models.columns import Id, choice
from services.core.models.competitions import BenchmarkRow, Phase
from services.core.store.database import Base, utc_now

if TYPE_CHECKING:
    from services.core.models.leaderboard import Score

__all__ = ["Evaluation", "Event", "EventKind", "FailureKind", "MeasurementRow", "Shard", "State", "SubmissionState"]


class State(StrEnum):
    """States of an evaluation and of a shard; `core.lifecycle` says which may follow which."""

    QUEUED = "queued"
    RUNNING = "running"
    MEASURED = "measured"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SubmissionState(StrEnum):
    """What people are shown: the evaluation's state, and `scored` once its score is there."""

    QUEUED = "queued"
    RUNNING = "running"
    MEASURED = "measured"  # its score comes in a moment
    SCORED = "scored"
    CHECKED = "checked"  # a notebook that was only tried out, and ran to its end
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def cancellable(self) -> bool:
        """Whether runs are left to stop."""
        return self in (SubmissionState.QUEUED, SubmissionState.RUNNING)

    @property
    def succeeded(self) -> bool:
        """Whether it came to its end as its participant wished."""
        return self in (SubmissionState.SCORED, SubmissionState.CHECKED)

    @property
    def ended(self) -> bool:
        """Whether nothing more is to come."""
        return self.succeeded or self in (SubmissionState.FAILED, SubmissionState.CANCELLED)


class EventKind(StrEnum):
    """What can happen to an evaluation. Those that bear the name of a state lead to it."""

    QUEUED = "queued"
    RUNNING = "running"
    PROGRESS = "progress"
    PROVISIONAL = "provisional"  # a score of the runs so far
    RETRIED = "retried"  # a shard was put back, because a worker was lost or failed
    DISCARDED = "discarded"  # what an earlier try of a notebook measured
    MEASURED = "measured"
    SCORED = "scored"
    CHECKED = "checked"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def leads_to(self) -> SubmissionState | None:
        """Return the state that begins with it; None if the state stays."""
        return next((state for state in SubmissionState if state.value == self.value), None)


class FailureKind(StrEnum):
    """All but the last are the participant's; `platform` is ours, is retried, and costs no quota."""

    REJECTED = "rejected"
    IMPORT_ERROR = "import_error"
    EXCEPTION = "exception"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    BAD_CHECKPOINT = "bad_checkpoint"
    TOO_MUCH_OUTPUT = "too_much_output"
    PLATFORM = "platform"


class Evaluation(Base):
    """One run of some code on one benchmark with one list of seeds: 0 to seeds - 1 under its own secret key."""

    __tablename__ = "evaluations"
    __table_args__ = (Index("ix_evaluations_code", "phase_id", "code_sha256"),)

    id: Mapped[Id]
    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id"))
    benchmark_id: Mapped[UUID] = mapped_column(ForeignKey("benchmarks.id"))
    code_sha256: Mapped[str] = mapped_column(String(64))
    seeds: Mapped[int]
    seed_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    state: Mapped[State] = mapped_column(choice(State), default=State.QUEUED, index=True)
    device_class: Mapped[str | None] = mapped_column(String(100))  # set by the first claim; later claims must match
    failure_kind: Mapped[FailureKind | None] = mapped_column(choice(FailureKind))
    failure_message: Mapped[str | None] = mapped_column(Text)
    seeds_done: Mapped[int] = mapped_column(default=0)
    checkpoints_written: Mapped[int] = mapped_column(default=0)  # by a notebook, before they are measured
    last_event: Mapped[int] = mapped_column(default=0)  # sequence number of its newest event
    provenance: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    dry_run: Mapped[bool] = mapped_column(default=False)  # only tried on stand-in data: measured nothing, never scored
    executed_blob: Mapped[str | None] = mapped_column(String(64))  # a notebook with the outputs of its run
    log_blob: Mapped[str | None] = mapped_column(String(64))  # the last it printed; never where data are hidden
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    phase: Mapped[Phase] = relationship()
    benchmark: Mapped[BenchmarkRow] = relationship()
    scores: Mapped[list["Score"]] = relationship(viewonly=True, order_by="Score.metric")

    @hybrid_property
    def is_scored(self) -> bool:
        """Whether it has a score by its phase's metric."""
        return any(score.metric == self.phase.metric for score in self.scores)

    @is_scored.inplace.expression
    @classmethod
    def _is_scored(cls) -> ColumnElement[bool]:
        metric = select(Phase.metric).where(Phase.id == cls.phase_id).correlate(cls).scalar_subquery()
        return cls.scores.any(metric=metric)

    @hybrid_property
    def shown_state(self) -> SubmissionState:
        """The state that people are shown."""
        if self.state is State.MEASURED and self.dry_run:
            return SubmissionState.CHECKED
        if self.state is State.MEASURED and self.is_scored:
            return SubmissionState.SCORED
        return SubmissionState(self.state.value)

    @shown_state.inplace.expression
    @classmethod
    def _shown_state(cls) -> ColumnElement[SubmissionState]:
        measured = cls.state == State.MEASURED
        found = case(
            (and_(measured, cls.dry_run), SubmissionState.CHECKED.value),
            (and_(measured, cls.is_scored), SubmissionState.SCORED.value),
            else_=type_coerce(cls.state, String),
        )
        shown = cast("TypeEngine[SubmissionState]", choice(SubmissionState, checked=False))
        return type_coerce(found, shown)

    @hybrid_property
    def has_ended(self) -> bool:
        """Whether nothing more is to come of it."""
        return self.shown_state.ended

    @has_ended.inplace.expression
    @classmethod
    def _has_ended(cls) -> ColumnElement[bool]:
        return cls.shown_state.in_([state for state in SubmissionState if state.ended])


class Shard(Base):
    """Seeds [seed_start, seed_stop) of an evaluation. `fence` counts its claims; older ones may write no more."""

    __tablename__ = "shards"
    __table_args__ = (
        UniqueConstraint("evaluation_id", "seed_start"),
        CheckConstraint("seed_stop > seed_start", name="range"),
        Index("ix_shards_claim", "state", "available_at"),
    )

    id: Mapped[Id]
    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id"), index=True)
    seed_start: Mapped[int]
    seed_stop: Mapped[int]
    state: Mapped[State] = mapped_column(choice(State), default=State.QUEUED)
    available_at: Mapped[datetime] = mapped_column(default=utc_now)
    attempt: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(200))
    lease_expires_at: Mapped[datetime | None]

    evaluation: Mapped[Evaluation] = relationship()


class MeasurementRow(Base):
    """What was read off the model of one seed; the arrays are a blob."""

    __tablename__ = "measurements"

    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id"), primary_key=True)
    seed: Mapped[int] = mapped_column(primary_key=True)
    blob: Mapped[str] = mapped_column(String(64))
    checkpoint_sha256: Mapped[str] = mapped_column(String(64))
    run_s: Mapped[float]  # wall clock of the unlearning run, by the supervisor
    peak_memory_bytes: Mapped[int | None] = mapped_column(BigInteger)  # of its largest process; not of the GPU
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Event(Base):
    """One thing that happened to an evaluation; `sequence` is gapless within it."""

    __tablename__ = "events"

    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[EventKind] = mapped_column(choice(EventKind, length=40, checked=False))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
