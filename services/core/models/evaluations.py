"""Running submissions: evaluations, the shards that workers lease, measurements, and the events that people watch."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.models.columns import Id, choice
from services.core.models.competitions import BenchmarkRow, Phase
from services.core.store.database import Base, utc_now

__all__ = ["Evaluation", "Event", "FailureKind", "MeasurementRow", "Shard", "State"]


class State(StrEnum):
    """States of an evaluation and of a shard; `core.lifecycle` says which may follow which."""

    QUEUED = "queued"
    RUNNING = "running"
    MEASURED = "measured"
    FAILED = "failed"
    CANCELLED = "cancelled"


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
    kind: Mapped[str] = mapped_column(String(40))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
