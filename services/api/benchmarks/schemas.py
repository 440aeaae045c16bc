"""JSON forms of benchmarks that are uploaded."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from services.api.kit.schemas import Input, Label, in_words, presentable
from services.core.bundle.manifest import Counts
from services.core.models import BenchmarkUpload, BenchmarkUploadState
from services.core.store.parts import PART_BYTES

__all__ = [
    "ArchitectureOut",
    "BenchmarkConsent",
    "BenchmarkFoundOut",
    "BenchmarkRefusal",
    "BenchmarkUploadOut",
    "NewBenchmarkUpload",
    "Sha256",
]

MOST_BYTES = 2**50

Sha256 = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{64}$"),
    in_words("give a SHA-256 as 64 small hexadecimal digits"),
]
Sentence = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), AfterValidator(presentable)
]


class NewBenchmarkUpload(Input):
    filename: Label
    size_bytes: int = Field(gt=0, le=MOST_BYTES)
    head_sha256: Sha256 = Field(description="SHA-256 of the first `benchmark_part_bytes` of the file, or of all of it.")


class BenchmarkConsent(Input):
    accept_unfit: Sentence | None = Field(
        None, description="Why an unfit benchmark is published all the same. Everybody sees it."
    )


class BenchmarkRefusal(Input):
    reason: Sentence = Field(description="Why, and what to do. The person who uploaded it sees this.")


class BenchmarkFoundOut(BaseModel):
    """What an archive says of itself, once every byte of it was checked."""

    name: str
    title: str
    digest: str
    dataset: str
    licence: str
    architecture: str
    oracle_seeds: int
    originals: int
    counts: Counts
    problems: list[str] = Field(description="Why it is unfit; empty if it is fit.")
    accepted_unfit: str | None
    architecture_known: bool = Field(description="Whether a published benchmark has the very same architecture code.")
    name_taken: bool = Field(description="Whether a published benchmark has this name; new phases then get this one.")


class BenchmarkUploadOut(BaseModel):
    id: UUID
    filename: str
    size_bytes: int
    received_bytes: int
    part_bytes: int = Field(description="The size of every part but the last.")
    checked_bytes: int = Field(description="How much has been read while it is verified or published.")
    state: BenchmarkUploadState
    reason: str | None = Field(description="Why it was refused or has to wait, and what to do.")
    found: BenchmarkFoundOut | None
    accept_unfit: str | None
    uploaded_by: str
    decided_by: str | None
    is_own: bool
    may_decide: bool = Field(description="Whether the caller may consent to it or refuse it.")
    created_at: datetime
    moved_at: datetime = Field(description="When a part came last, or its state changed.")

    @classmethod
    def of(cls, row: BenchmarkUpload, names: Mapping[UUID, str], *, is_own: bool, may_decide: bool) -> Self:
        """Make the JSON form of an upload, given the names of accounts."""
        copied = ("id", "filename", "size_bytes", "received_bytes", "checked_bytes", "state", "reason", "accept_unfit")
        return cls(
            **{name: getattr(row, name) for name in (*copied, "created_at", "moved_at")},
            part_bytes=PART_BYTES,
            found=None if row.found is None else BenchmarkFoundOut.model_validate(row.found),
            uploaded_by=names[row.account_id],
            decided_by=None if row.decided_by is None else names[row.decided_by],
            is_own=is_own,
            may_decide=may_decide,
        )


class ArchitectureOut(BaseModel):
    """The code that an uploaded benchmark brings: workers run it, confined, so it is read before consenting."""

    text: str
