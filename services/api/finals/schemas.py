"""The JSON forms of finals."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.api.kit.schemas import Input
from services.core.models import SubmissionState
from services.core.models.stored import FinalPreview, FinalProgress, JointPlace

__all__ = [
    "FinalBoardOut",
    "FinalEntryOut",
    "FinalMarkOut",
    "FinalOut",
    "FinalPhaseOut",
    "FinalPreviewOut",
    "FinalProgressOut",
    "FinalPublication",
    "FinalRunOut",
    "FinalTeamOut",
    "JointOut",
    "SelectedOut",
    "SelectionOut",
]


class FinalPhaseOut(BaseModel):
    """A phase of a final: one of its benchmarks."""

    phase: str
    benchmark: str
    digest: str


class FinalOut(BaseModel):
    """A final into which teams select submissions."""

    competition: str
    phase: str = Field(description="The phase that names it: that of its first benchmark.")
    phases: list[FinalPhaseOut] = Field(description="One for each benchmark.")
    selects: int = Field(description="Most submissions that one team may enter.")
    draws_from: list[str] = Field(description="The phases whose submissions can enter.")
    is_open: bool = Field(description="Whether teams may select now.")
    closes_at: datetime = Field(
        description="When the selection ends or ended: when the phase opens, or when the final was started if earlier."
    )
    started_at: datetime | None
    published_at: datetime | None = Field(description="Null while boards and entries are sealed.")
    code_licence: str | None = Field(description="Licence that finalists are asked to publish their code under.")
    code_licence_required: bool = Field(description="Whether nobody enters without agreeing.")
    commitment: str = Field(description="SHA-256 of the secret that all seeds follow from, in hex.")
    secret: str | None = Field(description="The secret in hex, once the final was published.")


class SelectedOut(BaseModel):
    """A submission that a team enters into a final."""

    submission_id: UUID
    name: str
    phase: str


class SelectionOut(BaseModel):
    """What a team enters into a final."""

    team: str
    selects: int = Field(description="Most submissions that it may enter.")
    is_open: bool = Field(description="Whether the team may change this.")
    closes_at: datetime
    by_default: bool = Field(description="Whether the team marked none, so that its best ranked entry enters.")
    entries: list[SelectedOut] = Field(description="What enters, or has entered.")
    left_out: list[SelectedOut] = Field(description="Marked, but withdrawn or disqualified since.")


class FinalMarkOut(BaseModel):
    """A final that a submission could enter, and whether it does."""

    phase: str
    is_open: bool = Field(description="Whether its team may enter it or take it back.")
    selected: bool = Field(description="Whether its team marked it.")
    entered: bool = Field(description="Whether it is in the started final.")
    licence: str | None = Field(description="Licence that its team agreed to publish its code under, if it wins.")


class FinalPublication(Input):
    """Publishes a final."""

    anyway: bool = Field(False, description="Publish although not all entries have ended.")


class FinalPreviewOut(FinalPreview):
    """What would enter a final if it was started now."""

    behind: bool = Field(description="Whether it is being counted anew.")


class FinalProgressOut(FinalProgress):
    """How far the runs of a started final are."""

    at: datetime | None = Field(description="When this was counted; null before the first count.")  # type: ignore[assignment]


class FinalRunOut(BaseModel):
    """An entry on one benchmark."""

    phase: str
    submission_id: UUID = Field(description="The entry of that phase, with runs and a score of its own.")
    state: SubmissionState


class FinalEntryOut(SelectedOut):
    """An entry, and what became of it on each benchmark."""

    runs: list[FinalRunOut] = Field(description="Empty until the team is entered.")


class FinalTeamOut(BaseModel):
    """What a team enters into a final."""

    team: str
    by_default: bool = Field(description="Whether the team marked none.")
    entries: list[FinalEntryOut] = Field(description="Empty if nothing of the team can enter.")


class JointOut(BaseModel):
    """A team on the joint board of a final on several benchmarks."""

    model_config = ConfigDict(from_attributes=True)

    team: str
    rank: int | None = Field(description="Teams of equal mean rank share it; null without a rank on every benchmark.")
    mean_rank: float | None
    mean_low: float | None = Field(description="Lower end of the 95% interval of the mean rank.")
    mean_high: float | None = Field(description="Upper end of that interval.")
    places: list[JointPlace] = Field(description="The places on the benchmarks.")


class FinalBoardOut(BaseModel):
    """One page of the joint board of a final: teams by their mean rank over its benchmarks."""

    competition: str
    phase: str
    phases: list[FinalPhaseOut]
    total: int
    items: list[JointOut]
    next: str | None
