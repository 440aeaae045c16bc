"""Request and response bodies about a competition's file."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel, Field

from services.api.files.applying import Applied, Plan
from services.api.files.changes import Change, ChangeKind
from services.api.files.form import PhaseSection
from services.api.kit.schemas import Input
from services.core.models import CompetitionImage, CompetitionPage, CompetitionVersion

__all__ = [
    "AppliedOut",
    "ApplyIn",
    "ChangeOut",
    "CompetitionFileOut",
    "CompetitionPageOut",
    "FileIn",
    "PhaseSettingsIn",
    "PhaseSettingsOut",
    "PlanOut",
    "VersionDetail",
    "VersionOut",
]

Source = Annotated[str, Field(description="The file itself, in YAML.")]


class FileIn(Input):
    """A file."""

    text: Source


class ApplyIn(Input):
    """A file, the state that it was compared with, and consent to breaking promises."""

    text: Source
    based_on: str | None = Field(
        None, max_length=64, description="The `token` of the preview or the export; null to create a competition."
    )
    confirm: bool = Field(
        False, description="Change also what participants of an open phase rely on, and announce that to them."
    )


class ChangeOut(BaseModel):
    """One difference between the file and what is stored."""

    path: str = Field(description="The field, such as `phases.final.seeds`; of a phase or page added or removed, it.")
    kind: ChangeKind
    before: Any = Field(description="The value before; null for a text of several lines.")
    after: Any
    lines: list[str] = Field(description="Of a text of several lines: how it changes, as a unified diff.")
    needs_confirmation: bool = Field(description="Participants of an open phase rely on it.")

    @classmethod
    def of(cls, change: Change) -> Self:
        """Make the JSON form of a change."""
        return cls(
            path=change.path,
            kind=change.kind,
            before=jsonable_encoder(change.before),
            after=jsonable_encoder(change.after),
            lines=change.lines,
            needs_confirmation=change.promise,
        )


class PlanOut(BaseModel):
    """What applying a file would change."""

    slug: str
    exists: bool = Field(description="Whether there is a competition of this name; if not, applying creates it.")
    token: str | None = Field(description="Send it as `based_on`; null if there is no such competition yet.")
    changes: list[ChangeOut]
    needs_confirmation: bool

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Make the JSON form of a plan."""
        return cls(
            slug=plan.slug,
            exists=plan.competition is not None,
            token=plan.token,
            changes=[ChangeOut.of(change) for change in plan.changes],
            needs_confirmation=bool(plan.promises),
        )


class AppliedOut(BaseModel):
    """What was applied."""

    slug: str
    number: int | None = Field(description="The version that keeps the file; null if it changed nothing.")
    created: bool
    token: str = Field(description="Names the state now.")
    changes: list[ChangeOut]
    announcement_id: UUID | None = Field(description="What participants were told, if the file broke a promise.")

    @classmethod
    def of(cls, applied: Applied, token: str) -> Self:
        """Make the JSON form of what was applied."""
        plan, version, announcement = applied.plan, applied.version, applied.announcement
        return cls(
            slug=plan.slug,
            number=version.number if version else None,
            created=plan.competition is None,
            token=token,
            changes=[ChangeOut.of(change) for change in plan.changes],
            announcement_id=announcement.id if announcement else None,
        )


class CompetitionFileOut(BaseModel):
    """The file of a competition, written from what is stored."""

    text: str
    token: str = Field(description="Names this state; send it as `based_on` to apply a changed file.")


class PhaseSettingsOut(BaseModel):
    """All settings of a phase, as the file of its competition has them."""

    settings: PhaseSection
    token: str = Field(description="Names this state; send it as `based_on` to change the settings.")


class PhaseSettingsIn(Input):
    """All settings of a phase, the state that they were read from, and consent to breaking promises."""

    settings: PhaseSection
    based_on: str = Field(max_length=64, description="The `token` that came with the settings.")
    confirm: bool = Field(
        False, description="Change also what participants of an open phase rely on, and announce that to them."
    )


class VersionOut(BaseModel):
    """A file that was applied."""

    number: int
    by: str
    created_at: datetime

    @classmethod
    def of(cls, row: CompetitionVersion, by: str) -> Self:
        """Make the JSON form of a version."""
        return cls(number=row.number, by=by, created_at=row.created_at)


class VersionDetail(VersionOut):
    """A file that was applied, with its text."""

    text: str


class CompetitionImageOut(BaseModel):
    """An image of a competition. A text shows it by `![words](images/NAME)`."""

    name: str
    media_type: str
    width_px: int
    height_px: int
    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, row: CompetitionImage) -> Self:
        """Make the JSON form of an image."""
        same = ("name", "media_type", "width_px", "height_px", "size_bytes")
        return cls(sha256=row.blob, **{name: getattr(row, name) for name in same})


class CompetitionPageOut(BaseModel):
    """A page of a competition."""

    slug: str = Field(description="Its short name; `rules` and `prizes` come first.")
    title: str
    body: str = Field(description="Markdown. Show it without raw HTML, and load nothing but its own `images/NAME`.")

    @classmethod
    def of(cls, row: CompetitionPage) -> Self:
        """Make the JSON form of a page."""
        return cls(slug=row.slug, title=row.title, body=row.body)
