"""Request and response bodies of matrices."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from services.api.kit.schemas import Input, Label
from services.core.matrices.acts import MOST_RUNS
from services.core.models import FailureKind, SubmissionState

__all__ = ["MatrixBenchmarkOut", "MatrixCellOut", "MatrixDetail", "MatrixEntryOut", "MatrixOut", "NewMatrix"]


class NewMatrix(Input):
    """Entries of one phase, which run under its limits on other benchmarks."""

    title: Label = Field(description="What it is for, in one line.")
    entries: list[UUID] = Field(
        min_length=1, max_length=MOST_RUNS, description="Scored submissions of the phase, also reference rows."
    )
    benchmarks: list[Annotated[str, Field(max_length=64)]] = Field(
        min_length=1, max_length=20, description="Published benchmarks, by name or digest."
    )
    seeds: int | None = Field(
        None, ge=1, le=10_000, description="Runs of each entry on each benchmark. If not set, as many as in the phase."
    )


class MatrixOut(BaseModel):
    """A matrix, and how far it is."""

    id: UUID
    title: str
    phase: str
    seeds: int
    entries: int
    benchmarks: list[str]
    runs: int = Field(description="Evaluations: entries times benchmarks.")
    ended: int = Field(description="Evaluations that are scored, failed or cancelled.")
    settled_at: datetime | None = Field(description="When all had ended and the ranks were computed.")
    cancelled_at: datetime | None
    created_at: datetime


class MatrixBenchmarkOut(BaseModel):
    name: str
    digest: str


class MatrixCellOut(BaseModel):
    """One entry on one benchmark."""

    benchmark: str
    evaluation_id: UUID
    state: SubmissionState
    failure_kind: FailureKind | None
    failure: str | None
    rank: int | None = Field(description="Among the entries of the matrix; null without a score, or if a flag says so.")
    rank_best: int | None
    rank_worst: int | None
    final_score: float | None
    ci_low: float | None
    ci_high: float | None
    forgetting_quality: float | None
    utility: float | None
    run_s: float | None
    flags: list[str]


class MatrixEntryOut(BaseModel):
    """One entry on all benchmarks."""

    submission_id: UUID
    name: str
    team: str
    rank: int | None = Field(description="By mean rank; equal means share it. Null without a rank on every benchmark.")
    mean_rank: float | None
    mean_low: float | None = Field(description="Lower end of the 95% interval of the mean rank.")
    mean_high: float | None
    cells: list[MatrixCellOut] = Field(description="One for each benchmark, in order.")


class MatrixDetail(MatrixOut):
    metric: str
    behind: bool = Field(description="Whether something was scored that the ranks do not know yet.")
    columns: list[MatrixBenchmarkOut]
    items: list[MatrixEntryOut] = Field(description="Its entries by mean rank, and those without one behind.")
