"""The JSON forms of winners."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from services.api.judging.schemas import MAX_REASON, FileOut
from services.api.kit.schemas import Input, presentable
from services.core.models import FinalistState, SubmissionState

__all__ = [
    "AgreementOut",
    "Decision",
    "FinalistCodeOut",
    "FinalistOut",
    "PlacedOut",
    "PublishingConsent",
    "RunAgain",
    "RunAgainOut",
]

Public = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_REASON, strip_whitespace=True),
    AfterValidator(presentable),
    Field(description="Why. Everybody sees it."),
]


class Decision(Input):
    """Verifies or refuses a finalist, or puts it back into review."""

    reason: Public


class RunAgain(Input):
    """Has the code of a finalist run again."""

    same_seeds: bool = Field(False, description="Run the same seeds, to compare each model. If not, draw new ones.")


class PublishingConsent(Input):
    """Agrees that code is published."""

    licence: str = Field(max_length=100, description="The final's `code_licence`.")


class AgreementOut(BaseModel):
    """A team's consent to publish the code of a submission if it wins and is verified."""

    submission_id: UUID
    licence: str | None = Field(description="Null if there is no consent.")
    rules_version: str | None = Field(
        description="The SHA-256 of the rules in force when the team consented; null without rules or consent."
    )
    created_at: datetime | None


class RunAgainOut(BaseModel):
    """A further evaluation of a finalist beside the one that counts. It moves no leaderboard."""

    state: SubmissionState
    same_seeds: bool
    independent: bool | None = Field(
        description="Whether other workers ran it; null until one has begun. If there was no other worker, it is false."
    )
    same_models: int | None = Field(description="With the same seeds: how many models are the same to the last bit.")
    final_score: float | None
    ci_low: float | None
    ci_high: float | None
    difference: float | None = Field(description="Its final score minus the one that counts, by the paired test.")
    low: float | None = Field(description="Lower end of the 95% interval of the difference.")
    high: float | None = Field(description="Upper end of that interval.")
    separated: bool | None = Field(description="Whether noise does not explain the difference, at the 5% level.")
    created_at: datetime


class PlacedOut(BaseModel):
    """A finalist on one benchmark."""

    phase: str
    submission_id: UUID
    rank: int | None
    rank_best: int | None
    rank_worst: int | None
    tie_group: int | None
    final_score: float | None = Field(description="Null if it has no score.")
    ci_low: float | None
    ci_high: float | None
    again: RunAgainOut | None = Field(description="The newest run that verifies it.")


class FinalistOut(BaseModel):
    """An entry of a published final, and what was decided on it."""

    team: str
    submission_id: UUID = Field(description="The submission that was selected; its id names the finalist.")
    name: str
    state: FinalistState
    reason: str | None
    decided_at: datetime | None
    licence: str | None = Field(description="Licence that its team agreed to publish its code under.")
    rules_version: str | None = Field(
        description="The SHA-256 of the rules in force when the team agreed; null if there were none."
    )
    code_published: bool = Field(description="Whether everybody may read its code.")
    places: list[PlacedOut] = Field(description="One for each benchmark.")


class FinalistCodeOut(BaseModel):
    """The code of a verified finalist, published with its team's consent."""

    submission_id: UUID
    team: str
    filename: str
    sha256: str
    licence: str
    files: list[FileOut]
