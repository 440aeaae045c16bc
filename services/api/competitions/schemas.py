"""Request and response bodies for competitions, benchmarks and environments."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from services.api.kit.schemas import Input, Label, Slug
from services.api.phases.schemas import PhaseOut
from services.core.bundle.manifest import Counts, Fitness, Manifest, Robustness
from services.core.models import (
    BenchmarkRow,
    Competition,
    Device,
    EnvironmentRow,
    RegistrationMode,
    Visibility,
)
from services.core.queue.turns import MAX_WEIGHT

__all__ = [
    "BenchmarkOut",
    "CompetitionChange",
    "CompetitionDetail",
    "CompetitionOut",
    "EnvironmentOut",
    "NewCompetition",
]


class NewCompetition(Input):
    slug: Slug
    title: Label
    description: str = Field("", max_length=100_000)


class CompetitionChange(Input):
    """What an operator may change of a competition."""

    weight: int = Field(
        ge=1, le=MAX_WEIGHT, description="How many shards of each of its teams run before another team's turn."
    )


class TeamTerms(BaseModel):
    """What a competition says about teams."""

    size: int = Field(description="Most people of one team.")
    merge_until: datetime | None = Field(description="Until when teams may merge; null if they may not.")


class CompetitionOut(BaseModel):
    slug: str
    title: str
    description: str
    owner: str
    registration: RegistrationMode = Field(description="How people come to take part.")
    contact: str
    visibility: Visibility
    weight: int
    teams: TeamTerms
    created_at: datetime

    @classmethod
    def of(cls, competition: Competition, owner: str) -> Self:
        return cls(
            slug=competition.slug,
            title=competition.title,
            description=competition.description,
            owner=owner,
            registration=competition.registration,
            contact=competition.contact,
            visibility=competition.visibility,
            weight=competition.weight,
            teams=TeamTerms(size=competition.team_size, merge_until=competition.merge_until),
            created_at=competition.created_at,
        )


class CompetitionDetail(CompetitionOut):
    phases: list[PhaseOut]


class EnvironmentOut(BaseModel):
    """What code finds in a sandbox: Python, the packages, and the image that holds them."""

    name: str
    device: Device
    python: str
    packages: dict[str, str] = Field(description="The version of each package.")
    image: str
    digest: str = Field(description="The image's id; empty for the process sandbox, which has no image.")
    size_bytes: int
    self_test: str
    checked_at: datetime

    @classmethod
    def of(cls, row: EnvironmentRow) -> Self:
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class BenchmarkOut(BaseModel):
    """A benchmark, described by part of its manifest. Its files cannot be downloaded."""

    name: str
    digest: str
    title: str
    dataset: str
    licence: str
    scenario: str
    problem: str
    originals: int
    placebos: int = Field(
        description="Models that never saw the forget set, from which placebo runs start; 0: no audit is possible."
    )
    classes: int
    input_shape: tuple[int, ...]
    counts: Counts
    architecture: str
    recipe: dict[str, Any]
    oracle_seeds: int
    seed_commitment: str
    fitness: Fitness
    accepted_unfit: str | None = Field(
        description="Why the operator published it although `fitness.problems` is not empty; null if it is fit."
    )
    robustness: Robustness | None = Field(
        description="What the robustness stage does and costs; null if the benchmark was built without."
    )
    versions: dict[str, str]
    created_at: datetime

    @classmethod
    def of(cls, row: BenchmarkRow) -> Self:
        manifest = Manifest.model_validate(row.manifest)
        shown = {name: getattr(manifest, name) for name in cls.model_fields if name in Manifest.model_fields}
        return cls(**shown, digest=row.digest, created_at=row.created_at)
