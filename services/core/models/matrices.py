"""Matrices: chosen entries of a phase on chosen benchmarks, run beside the contest."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.models.columns import Id, Name
from services.core.models.competitions import BenchmarkRow, Phase
from services.core.models.evaluations import Evaluation
from services.core.models.stored import MatrixResult, StoredJson
from services.core.models.submissions import Submission
from services.core.store.database import Base, utc_now

__all__ = ["Matrix", "MatrixRun"]


class Matrix(Base):
    """Runs of some entries of a phase on some benchmarks, under the phase's settings. No board shows them."""

    __tablename__ = "matrices"
    __table_args__ = (Index("ix_matrices_order", "competition_id", "created_at", "id"),)

    id: Mapped[Id]
    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"))
    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))  # who started it
    title: Mapped[Name]
    seeds: Mapped[int]  # runs of each entry on each benchmark
    result: Mapped[MatrixResult | None] = mapped_column(StoredJson(MatrixResult))  # ranks of what is scored so far
    settled_at: Mapped[datetime | None]  # when all runs had ended and the ranks were computed
    cancelled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    phase: Mapped[Phase] = relationship()


class MatrixRun(Base):
    """One entry on one benchmark. Row and column count from 0, in the order in which they were named."""

    __tablename__ = "matrix_runs"
    __table_args__ = (Index("uq_matrix_runs_evaluation", "evaluation_id", unique=True),)

    matrix_id: Mapped[UUID] = mapped_column(ForeignKey("matrices.id"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    column: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"))
    benchmark_id: Mapped[UUID] = mapped_column(ForeignKey("benchmarks.id"))
    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id"))

    submission: Mapped[Submission] = relationship()
    benchmark: Mapped[BenchmarkRow] = relationship()
    evaluation: Mapped[Evaluation] = relationship()
