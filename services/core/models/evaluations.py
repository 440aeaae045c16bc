"""Tables for running submissions: evaluations, the shards that workers lease, measurements, and progress events."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, cast
from uuid import UUID

from sqlalchemy import (
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
    text,
    type_coerce,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship
from sqlalchemy.types import TypeEngine

from services.core.models.columns import Id, choice
from services.core.models.competitions import BenchmarkRow, Phase
from services.core.models.losses import LossesForm
from services.core.models.stored import StoredJson
from services.core.store.database import Base, utc_now

if TYPE_CHECKING:
    from services.core.models.leaderboard import Score

__all__ = [
    "Evaluation",
    "FailureKind",
    "MeasurementRow",
    "Shard",
    "State",
    "SubmissionState",
]


class State(StrEnum):
    """States of an evaluation and of a shard. `core.queue.lifecycle` defines the transitions."""

    QUEUED = "queued"
    RUNNING = "running"
    MEASURED = "measured"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SubmissionState(StrEnum):
    """The state shown to users: that of the evaluation, or `scored` once it has a score."""

    QUEUED = "queued"
    RUNNING = "running"
    MEASURED = "measured"  # the score follows soon
    SCORED = "scored"
    CHECKED = "checked"  # a notebook that ran to its end on stand-in data
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def cancellable(self) -> bool:
        """Tell whether runs remain that can be stopped."""
        return self in (SubmissionState.QUEUED, SubmissionState.RUNNING)

    @property
    def succeeded(self) -> bool:
        """Tell whether the submission was scored or checked successfully."""
        return self in (SubmissionState.SCORED, SubmissionState.CHECKED)

    @property
    def ended(self) -> bool:
        """Tell whether the state is final."""
        return self.succeeded or self in (SubmissionState.FAILED, SubmissionState.CANCELLED)


class FailureKind(StrEnum):
    """Causes of a failure. All but `platform` are the participant's; `platform` is retried and costs no quota.

    `unstable` is a failure that looks like the platform's, attempt after attempt, while a control entry passes.
    """

    REJECTED = "rejected"
    IMPORT_ERROR = "import_error"
    EXCEPTION = "exception"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    BAD_CHECKPOINT = "bad_checkpoint"
    TOO_MUCH_OUTPUT = "too_much_output"
    UNSTABLE = "unstable"
    PLATFORM = "platform"


class Evaluation(Base):
    """An evaluation: N runs of some code on one benchmark, with the seeds 0 to seeds - 1 under its own secret key."""

    __tablename__ = "evaluations"
    __table_args__ = (
        Index("ix_evaluations_code", "phase_id", "code_sha256"),
        Index("ix_evaluations_newest", "phase_id", "state", "finished_at"),
        Index(
            "ix_evaluations_platform",
            "finished_at",
            sqlite_where=text("failure_kind = 'platform'"),
            postgresql_where=text("failure_kind = 'platform'"),
        ),
        Index(
            "ix_evaluations_unscored",
            "finished_at",
            sqlite_where=text("may_lack_score = 1"),
            postgresql_where=text("may_lack_score"),
        ),
        Index(
            "ix_evaluations_readings",
            "readings_until",
            sqlite_where=text("readings_until IS NOT NULL"),
            postgresql_where=text("readings_until IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id"))
    benchmark_id: Mapped[UUID] = mapped_column(ForeignKey("benchmarks.id"))
    code_sha256: Mapped[str] = mapped_column(String(64))
    seeds: Mapped[int]
    seed_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    state: Mapped[State] = mapped_column(choice(State), default=State.QUEUED, index=True)
    may_lack_score: Mapped[bool] = mapped_column(
        default=True
    )  # by its phase's metric; False if it needs none, or has it
    device_class: Mapped[str | None] = mapped_column(String(100))  # set by the first claim; later claims must match
    failure_kind: Mapped[FailureKind | None] = mapped_column(choice(FailureKind))
    failure_message: Mapped[str | None] = mapped_column(Text)
    seeds_done: Mapped[int] = mapped_column(default=0)
    checkpoints_written: Mapped[int] = mapped_column(default=0)  # by a notebook, before they are measured
    last_event: Mapped[int] = mapped_column(default=0)  # sequence number of its newest event
    provenance: Mapped[dict[str, str]] = mapped_column(StoredJson(dict[str, str]), default=dict)
    dry_run: Mapped[bool] = mapped_column(default=False)  # on stand-in data only, also a rehearsal: it is never scored
    executed_blob: Mapped[str | None] = mapped_column(String(64))  # a notebook with the outputs of its run
    log_blob: Mapped[str | None] = mapped_column(
        String(64)
    )  # the end of its printed output; never set if data are hidden
    measurements_blob: Mapped[str | None] = mapped_column(String(64))  # all readings, once they are packed
    measurements_deleted_at: Mapped[datetime | None]  # by the competition's retention; their hash stays
    stress_blob: Mapped[str | None] = mapped_column(String(64))  # all stress readings, once they are packed
    placebo_blob: Mapped[str | None] = mapped_column(String(64))  # the readings of all placebo runs, likewise
    # what is lost on which forget example, from `scorer.losses`; never set if data are hidden
    losses: Mapped[LossesForm | None] = mapped_column(StoredJson(LossesForm), deferred=True)
    # how the runs move the weights of each original on the mean, written by `scorer.copies`; None if that is not clear
    movement: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    # when its single readings are due to be packed, or, once they are, to go; None if nothing is left to do
    readings_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    phase: Mapped[Phase] = relationship()
    benchmark: Mapped[BenchmarkRow] = relationship()
    has_losses: Mapped[bool] = column_property(losses.is_not(None))
    scores: Mapped[list["Score"]] = relationship(viewonly=True, order_by="Score.metric")

    def score_by(self, metric: str) -> "Score | None":
        """Return the score by a metric; None if there is none yet."""
        return next((score for score in self.scores if score.metric == metric), None)

    @hybrid_property
    def never_started(self) -> bool:
        """Tell whether it was cancelled before its first run, so that none can ever start."""
        return self.state is State.CANCELLED and self.started_at is None

    @never_started.inplace.expression
    @classmethod
    def _never_started(cls) -> ColumnElement[bool]:
        return and_(cls.state == State.CANCELLED, cls.started_at.is_(None))

    @hybrid_property
    def is_scored(self) -> bool:
        """Tell whether the evaluation has a score by its phase's metric."""
        return any(score.metric == self.phase.metric for score in self.scores)

    @is_scored.inplace.expression
    @classmethod
    def _is_scored(cls) -> ColumnElement[bool]:
        metric = select(Phase.metric).where(Phase.id == cls.phase_id).correlate(cls).scalar_subquery()
        return cls.scores.any(metric=metric)

    @hybrid_property
    def shown_state(self) -> SubmissionState:
        """The state shown to users."""
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
        """Tell whether the shown state is final."""
        return self.shown_state.ended

    @has_ended.inplace.expression
    @classmethod
    def _has_ended(cls) -> ColumnElement[bool]:
        return cls.shown_state.in_([state for state in SubmissionState if state.ended])


class Shard(Base):
    """Seeds [seed_start, seed_stop) of an evaluation. `fence` counts its claims; only the latest claim may write."""

    __tablename__ = "shards"
    __table_args__ = (
        UniqueConstraint("evaluation_id", "seed_start"),
        CheckConstraint("seed_stop > seed_start", name="range"),
        Index("ix_shards_claim", "line_id", "state", "device_class", "queued_at", "evaluation_id", "seed_start"),
        Index("ix_shards_lease", "state", "lease_expires_at"),
    )

    id: Mapped[Id]
    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id"), index=True)
    seed_start: Mapped[int]
    seed_stop: Mapped[int]
    line_id: Mapped[UUID] = mapped_column(ForeignKey("lines.id"))
    state: Mapped[State] = mapped_column(choice(State), default=State.QUEUED)
    device_class: Mapped[str | None] = mapped_column(String(100))  # its evaluation's
    queued_at: Mapped[datetime] = mapped_column(default=utc_now)  # when its evaluation was created
    available_at: Mapped[datetime] = mapped_column(default=utc_now)
    attempt: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(200))
    avoids: Mapped[str | None] = mapped_column(Text)  # workers that must not run it, each between bars: |one||two|
    lease_expires_at: Mapped[datetime | None]

    evaluation: Mapped[Evaluation] = relationship()


class MeasurementRow(Base):
    """The measurement of one seed's model. Its arrays, a reading, are a blob until all of the evaluation are packed."""

    __tablename__ = "measurements"
    __table_args__ = (
        Index(
            "ix_measurements_blob",
            "blob",
            sqlite_where=text("blob IS NOT NULL"),
            postgresql_where=text("blob IS NOT NULL"),
        ),
    )

    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id"), primary_key=True)
    seed: Mapped[int] = mapped_column(primary_key=True)
    blob: Mapped[str | None] = mapped_column(String(64))  # see `core.bundle.packing`
    stress_blob: Mapped[str | None] = mapped_column(String(64))  # its stress reading, likewise; None if it has none
    placebo_blob: Mapped[str | None] = mapped_column(String(64))  # the reading of its placebo run, likewise
    checkpoint_sha256: Mapped[str] = mapped_column(String(64))
    run_s: Mapped[float]  # wall-clock time of the unlearning run, by the supervisor's clock
    cpu_s: Mapped[float | None]  # processor time of all its processes; None on a GPU, and if nobody counted it
    # of the runs of the platform's trainer and of an empty one beside it, in the same sandbox; None if it has none
    trainer_s: Mapped[float | None]
    trainer_cpu_s: Mapped[float | None]
    empty_s: Mapped[float | None]
    empty_cpu_s: Mapped[float | None]
    peak_memory_bytes: Mapped[int | None] = mapped_column(BigInteger)  # of its largest process, without GPU memory
    # the lease under which it ran, which names its sandbox, and how many runs came before it there; None in old rows
    sandbox: Mapped[str | None] = mapped_column(String(80))
    position: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
