"""The JSON forms of a phase's reference rows."""

from uuid import UUID

from pydantic import BaseModel, Field

from services.core.models import FailureKind, Reference, SubmissionState

__all__ = ["ReferenceRowOut", "ReferencesOut"]


class ReferenceRowOut(BaseModel):
    """A reference row of the platform, whether it was made yet or not."""

    reference: Reference
    name: str
    epochs: int = Field(description="For how many epochs it retrains; 0 if it does nothing.")
    submission_id: UUID | None = Field(description="Null until it was made.")
    state: SubmissionState | None
    failure_kind: FailureKind | None
    failure: str | None
    run_s: float | None = Field(description="Mean wall-clock time of one run, in seconds.")
    final_score: float | None


class ReferencesOut(BaseModel):
    """The reference rows that the platform makes in a phase."""

    wanted: bool = Field(description="Whether the platform makes them in this phase.")
    why_none: str | None = Field(description="Why the benchmark can have none, in words.")
    waiting: bool = Field(description="Whether some are yet to be made. In a draft, they wait until it is public.")
    items: list[ReferenceRowOut]
