"""Competitions, their phases, and the benchmarks on which phases evaluate."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.device import Device
from services.core.models.columns import Id, Name, Slug, choice
from services.core.models.people import Member, RegistrationMode
from services.core.store.database import Base, utc_now

if TYPE_CHECKING:
    from services.core.models.finals import FinalPhase

__all__ = ["BenchmarkRow", "Competition", "Phase", "PhaseKind", "Visibility"]


class PhaseKind(StrEnum):
    CHECK = "check"
    FEEDBACK = "feedback"
    FINAL = "final"


class Visibility(StrEnum):
    """Who sees a competition, and whether anything may change."""

    DRAFT = "draft"  # its organisers and operators alone
    PUBLIC = "public"
    UNLISTED = "unlisted"  # everybody who has its address
    ARCHIVED = "archived"  # everybody, and nothing changes any more
    DELETED = "deleted"  # nobody: the row stays, because the record speaks of it


class BenchmarkRow(Base):
    """A published benchmark: its files are blobs, named by hash in the manifest."""

    __tablename__ = "benchmarks"

    id: Mapped[Id]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[Slug]
    manifest: Mapped[dict[str, Any]] = mapped_column(JSON)
    manifest_blob: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Competition(Base):
    __tablename__ = "competitions"
    __table_args__ = (
        CheckConstraint("weight > 0", name="weight"),
        CheckConstraint("team_size > 0", name="team_size"),
    )

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    title: Mapped[Name]
    description: Mapped[str] = mapped_column(Text, default="")
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    registration: Mapped[RegistrationMode] = mapped_column(choice(RegistrationMode), default=RegistrationMode.OPEN)
    weight: Mapped[int] = mapped_column(default=1)  # how many shards of each of its teams run in turn
    visibility: Mapped[Visibility] = mapped_column(choice(Visibility), default=Visibility.PUBLIC)
    contact: Mapped[str] = mapped_column(String(200), default="")
    team_size: Mapped[int] = mapped_column(default=5)  # most people of one team
    merge_until: Mapped[datetime | None]  # None: teams do not merge
    code_licence: Mapped[str | None] = mapped_column(String(100))  # under which winners publish code; None: nobody asks
    code_licence_required: Mapped[bool] = mapped_column(default=False)  # to enter a final
    # by rule of `core.retention`, how long after the end: "90 days"; None: everything is kept
    retention: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    members: Mapped[list[Member]] = relationship()  # who runs or reviews it beside its owner: a few dozen at most


class Phase(Base):
    __tablename__ = "phases"
    __table_args__ = (
        UniqueConstraint("competition_id", "slug"),
        CheckConstraint("seeds > 0", name="seeds"),
        CheckConstraint("shard_seeds > 0", name="shard_seeds"),
        CheckConstraint("seed_timeout_s > 0", name="seed_timeout_s"),
        CheckConstraint("closes_at > opens_at", name="window"),
    )

    id: Mapped[Id]
    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"), index=True)
    slug: Mapped[Slug]
    title: Mapped[str | None] = mapped_column(String(200))
    kind: Mapped[PhaseKind] = mapped_column(choice(PhaseKind))
    benchmark_id: Mapped[UUID] = mapped_column(ForeignKey("benchmarks.id"))
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    seeds: Mapped[int]  # N, the number of unlearning runs in one evaluation
    shard_seeds: Mapped[int]  # number of seeds that a worker leases at once
    quota_per_day: Mapped[int]  # submissions per team in any 24 hours
    quota_total: Mapped[int | None]  # submissions per team in all; None: no such limit
    seed_timeout_s: Mapped[float]  # wall-clock limit of one unlearning run
    memory_bytes: Mapped[int] = mapped_column(BigInteger)  # 2 GiB is one more than 32 bits hold
    device: Mapped[Device] = mapped_column(choice(Device))
    environment: Mapped[str] = mapped_column(String(63), default="current")  # the name of one, core/environments.py
    metric: Mapped[str] = mapped_column(String(63))
    max_time_ratio: Mapped[float]  # run time over retraining time; an entry above it is shown unranked
    data_hidden: Mapped[bool]  # failures then show no message and no printed output
    notebooks: Mapped[bool] = mapped_column(default=False)  # whether the phase accepts notebooks
    notebook_timeout_s: Mapped[float] = mapped_column(default=8 * 3600.0)  # wall-clock limit of one whole notebook
    cuda_stand_in: Mapped[bool] = mapped_column(default=False)  # notebooks see a GPU even if there is none
    take_first: Mapped[bool] = mapped_column(
        default=False
    )  # if a notebook's zip has more checkpoints than N, use the first N
    rehearse: Mapped[bool] = mapped_column(
        default=True
    )  # a check phase rehearses notebooks; otherwise it gives them a dry run
    robustness: Mapped[bool] = mapped_column(default=False)  # every model is also read under stress
    placebo_audit: Mapped[bool] = mapped_column(default=False)  # some runs also start from placebo models
    # secondary columns that its leaderboard shows, in order, such as `ssd.zrf`; none: the usual ones
    columns: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    references: Mapped[bool] = mapped_column(default=False)  # whether the platform makes reference rows
    references_at: Mapped[datetime | None]  # when it last made those that were missing; None: it has yet to
    board_moved_at: Mapped[datetime | None]  # when a pointer of its leaderboard last moved, core/board/standings.py
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    competition: Mapped[Competition] = relationship()
    benchmark: Mapped[BenchmarkRow] = relationship()
    final_part: Mapped["FinalPhase | None"] = relationship(viewonly=True)  # None if the phase takes uploads
