"""What `competition.yaml` may say. Every setting of a phase is one of the API's, so it has one meaning and one default.

A new part of the file is a field here, its values in `stored.py`, and its writing in `applying.py`.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator, model_validator

from services.api.accounts.schemas import Username
from services.api.kit.schemas import Input, Label, Moment, Slug, in_words, presentable, visible
from services.api.phases.schemas import NewPhase
from services.core.models import RegistrationMode, Visibility
from services.core.queue.turns import MAX_WEIGHT
from services.core.retention.rules import DAYS

__all__ = [
    "MAX_MEMBERS",
    "MAX_PAGES",
    "MAX_PHASES",
    "VERSION",
    "CompetitionFile",
    "FileHead",
    "PageSection",
    "PhaseSection",
    "Retention",
    "TeamsSection",
]

VERSION = 1
MAX_TEXT = 100_000
MAX_PAGES = 20
MAX_PHASES = 50
MAX_MEMBERS = 50  # organisers and reviewers together
TAKEN = ("rules", "prizes")  # pages that are fields of their own

Markdown = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(presentable)]
Licence = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+-]{0,99}$"),
    in_words("use a short name of a licence, such as Apache-2.0: letters, digits, dots, hyphens and plus signs"),
]
Days = Annotated[str, StringConstraints(pattern=DAYS.pattern), in_words("write a number of days, such as 90 days")]
Names = Annotated[list[Username], Field(max_length=MAX_MEMBERS)]
Contact = Annotated[str, Field(max_length=200), AfterValidator(str.strip)]


class TeamsSection(Input):
    """What the competition says about teams."""

    size: int = Field(5, ge=1, le=100, description="Most people of one team. If it shrinks, no team loses anybody.")
    merge_until: Moment | None = Field(
        None, description="Until when teams may merge, with a time zone. If left out: they may not."
    )


class Retention(Input):
    """How long after the end of the competition data are kept, such as `90 days`. What is left out is kept."""

    logs: Days | None = Field(None, description="What submissions printed.")
    notebooks: Days | None = Field(None, description="Notebooks as they were executed, with their outputs.")
    code_of_losers: Days | None = Field(None, description="Code of all but verified finalists and reference rows.")
    measurements: Days | None = Field(None, description="Measurements; nothing can be rescored without them.")
    pictures: Days | None = Field(
        None, description="Losses by forget example with their pictures, such as faces. Benchmarks keep theirs."
    )


class FileHead(Input):
    """The part of a file that speaks of the competition itself."""

    lethe: Literal[1] = Field(description="The version of this format: 1.")
    slug: Slug = Field(description="The competition's short name, which is part of its address. It never changes.")
    title: Label = Field(description="Its title, in one line.")
    visibility: Visibility = Field(
        Visibility.DRAFT,
        description="`draft`: only organisers see it. `public`. `unlisted`: everybody who has the address. "
        "`archived`: everybody, and nothing changes any more.",
    )
    description: Markdown = Field("", description="What it is about, in Markdown.")
    rules: Markdown = Field("", description="Its rules, in Markdown.")
    prizes: Markdown = Field("", description="What can be won, in Markdown.")
    contact: Contact = Field("", description="Whom participants ask: an address, in one line.")
    organisers: Names | None = Field(
        None,
        description="Usernames of those who run it beside its owner. Only the owner and operators change them. If left "
        "out: as they are.",
    )
    reviewers: Names | None = Field(
        None,
        description="Usernames of those who read all that organisers read, and change nothing. Only the owner and "
        "operators change them. If left out: as they are.",
    )
    registration: RegistrationMode | None = Field(
        None,
        description="How people come to take part: `open`, by `approval` of an organiser, or by `invitation`. Whoever "
        "is registered stays so. If left out: as it is, at first `open`.",
    )
    teams: TeamsSection = Field(
        default_factory=lambda: TeamsSection(size=5, merge_until=None),
        description="How large teams may be, and until when they may merge.",
    )
    code_licence: Licence | None = Field(
        None,
        description="Licence under which finalists agree to publish their code if they win, such as `Apache-2.0`. If "
        "left out: nobody is asked.",
    )
    code_licence_required: bool = Field(
        False, description="Whether a team must agree before it enters a submission into a final."
    )
    retention: Retention | None = Field(
        None, description="How long after its end data are kept. If left out: everything is kept."
    )
    weight: int | None = Field(
        None,
        ge=1,
        le=MAX_WEIGHT,
        description="Runs of each of its teams in one turn at the workers. Only operators change it. If left out: as "
        "it is.",
    )

    @field_validator("visibility")
    @classmethod
    def _not_deleted(cls, value: Visibility) -> Visibility:
        if value is Visibility.DELETED:
            raise ValueError("a file deletes nothing; use `lethe competition delete`")
        return value

    @field_validator("retention")
    @classmethod
    def _says_something(cls, value: Retention | None) -> Retention | None:
        return value if value is not None and any(days is not None for _, days in value) else None

    @field_validator("code_licence_required")
    @classmethod
    def _has_licence(cls, value: bool, others: ValidationInfo) -> bool:
        if value and "code_licence" in others.data and others.data["code_licence"] is None:
            raise ValueError("there is no licence to agree to; name one in `code_licence`")
        return value

    @field_validator("contact")
    @classmethod
    def _legible(cls, value: str) -> str:
        if visible(value) != value:
            raise ValueError("must not contain invisible or control characters")
        return value


class PageSection(Input):
    """A further page."""

    slug: Slug = Field(description="Its short name, which is part of its address.")
    title: Label = Field(description="Its title, in one line.")
    body: Markdown = Field(description="Its text, in Markdown.")

    @field_validator("slug")
    @classmethod
    def _is_free(cls, value: str) -> str:
        if value in TAKEN:
            raise ValueError(f"`{value}` is a field of its own: write `{value}: |` at the top level")
        return value


class PhaseSection(NewPhase):
    """A phase. The window is judged with the rest of the file, so that all its mistakes are told at once."""

    opens_at: Moment = Field(description="When it opens, with a time zone.")

    @model_validator(mode="after")
    def _check_window(self) -> Self:
        return self

    def settings(self) -> dict[str, Any]:
        """Return what it says, by field."""
        return {name: getattr(self, name) for name in type(self).model_fields if name != "slug"}


class CompetitionFile(FileHead):
    """A whole file."""

    pages: list[PageSection] = Field([], max_length=MAX_PAGES, description="Further pages.")
    phases: list[PhaseSection] = Field([], max_length=MAX_PHASES, description="Its phases.")
