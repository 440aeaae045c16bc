"""The JSON forms of judging."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services.api.kit.schemas import Input, presentable
from services.core.models import Exclusion, ExclusionKind

__all__ = ["CodeOut", "DiffOut", "Disqualification", "ExclusionOut", "FileOut", "Reason", "Reinstatement"]

MAX_REASON = 2000


Reason = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_REASON, strip_whitespace=True),
    AfterValidator(presentable),
    Field(description="Shown to the team."),
]


class Disqualification(Input):
    """Takes one submission off its board, or all that a team submitted to the competition."""

    submission_id: UUID | None = Field(None, description="The submission. Leave it out to disqualify a team.")
    team: str | None = Field(None, max_length=39, description="The team's name. Leave it out to disqualify an entry.")
    reason: Reason


class Reinstatement(Input):
    """Ends a disqualification."""

    reason: Reason


class ExclusionOut(BaseModel):
    """Why a submission, or all that a team submitted, is or was off the board."""

    id: UUID
    kind: ExclusionKind = Field(description="Disqualified by an organiser, or withdrawn by the team.")
    team: str
    submission_id: UUID | None = Field(description="Null if it is about all that the team submitted.")
    submission: str | None = Field(description="The submission's name.")
    reason: str
    created_at: datetime
    ended_at: datetime | None = Field(description="When it was taken back; null while it counts.")
    ended_reason: str | None

    @classmethod
    def of(cls, row: Exclusion) -> Self:
        """Make the JSON form of an exclusion."""
        return cls(
            id=row.id,
            kind=row.kind,
            team=row.team.name,
            submission_id=row.submission_id,
            submission=row.submission.name if row.submission else None,
            reason=row.reason,
            created_at=row.created_at,
            ended_at=row.ended_at,
            ended_reason=row.ended_reason,
        )


class FileOut(BaseModel):
    """A file of an upload."""

    model_config = ConfigDict(from_attributes=True)

    path: str
    size_bytes: int
    text: str | None = Field(description="Null if it is not text, or too long to show: download the upload to read it.")


class CodeOut(BaseModel):
    """The code of a submission. A notebook is shown as its cells, without outputs."""

    submission_id: UUID
    name: str
    team: str
    filename: str
    sha256: str
    files: list[FileOut]


class FileDiffOut(BaseModel):
    """How one file differs."""

    model_config = ConfigDict(from_attributes=True)

    path: str
    same: bool
    lines: list[str] | None = Field(
        description="A unified diff. Null if a file is not text or too long to compare: download both uploads."
    )


class DiffOut(BaseModel):
    """How the code of one submission differs from that of another."""

    submission_id: UUID
    other_id: UUID
    same: bool = Field(description="Whether both uploads are the same bytes.")
    files: list[FileDiffOut]
