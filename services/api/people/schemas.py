"""Request and response bodies for members, registrations and invitations."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from services.api.kit.schemas import Input, Label, presentable
from services.core.models import (
    CompetitionRole,
    Invitation,
    Member,
    Registration,
    RegistrationMode,
    RegistrationState,
)

__all__ = [
    "Approval",
    "InvitationOut",
    "InvitationWithCode",
    "MemberOut",
    "NewInvitation",
    "NewMember",
    "NewOwner",
    "OwnRegistrationOut",
    "Refusal",
    "RegistrationChange",
    "RegistrationOut",
    "RegistrationRequest",
]

Username = Annotated[str, Field(max_length=39, description="The username of an account.")]
Usernames = Annotated[
    list[Username], Field(min_length=1, max_length=200, description="The usernames of whom it is about.")
]


class NewMember(Input):
    """Who is to run or review a competition."""

    username: Username
    role: Literal[CompetitionRole.ORGANISER, CompetitionRole.REVIEWER] = Field(
        description="An organiser runs the competition; a reviewer reads the same, and changes nothing."
    )


class NewOwner(Input):
    """Whom a competition is handed over to."""

    username: Username


class MemberOut(BaseModel):
    """Somebody who owns, runs or reviews a competition."""

    username: str
    role: CompetitionRole
    since: datetime

    @classmethod
    def of(cls, row: Member) -> Self:
        """Make the JSON form of a member."""
        return cls(username=row.account.username, role=row.role, since=row.created_at)


class RegistrationChange(Input):
    """How people come to take part from now on."""

    registration: RegistrationMode


class RegistrationRequest(Input):
    """What somebody gives to register."""

    rules_version: str | None = Field(
        None, max_length=64, description="The version of the rules that you have read and accept, if there are rules."
    )
    code: str | None = Field(None, max_length=200, description="The code of an invitation, if one is needed.")


class OwnRegistrationOut(BaseModel):
    """How people register for a competition, and how far the caller is."""

    registration: RegistrationMode
    rules: str = Field(description="The rules in force; empty if there are none to accept.")
    rules_version: str | None = Field(description="The SHA-256 of the rules in force; null without rules.")
    role: CompetitionRole | None = Field(description="Your highest role in the competition; null if you have none.")
    state: RegistrationState | None = Field(description="The state of your registration; null if you have none.")
    reason: str | None = Field(description="Why your registration was refused.")
    accepted_version: str | None = Field(description="The version of the rules that you accepted last.")
    admitted: bool = Field(description="Whether you may submit, as far as registration goes.")


class RegistrationOut(BaseModel):
    """Somebody who takes part, or asked to."""

    username: str
    team: str | None = Field(description="The team in which they compete; null before their first submission or team.")
    state: RegistrationState
    reason: str | None
    rules_version: str | None = Field(description="The version of the rules that was accepted last.")
    rules_accepted_at: datetime | None
    created_at: datetime
    decided_at: datetime | None = Field(description="When an organiser decided.")

    @classmethod
    def of(cls, row: Registration, team: str | None) -> Self:
        """Make the JSON form of a registration."""
        return cls(team=team, **{name: getattr(row, name) for name in cls.model_fields if name != "team"})


class Approval(Input):
    """Whom to accept."""

    usernames: Usernames


class Refusal(Approval):
    """Whom to refuse, and why."""

    reason: Annotated[
        str,
        StringConstraints(min_length=1, max_length=2000, strip_whitespace=True),
        AfterValidator(presentable),
        Field(description="Shown to each of them."),
    ]


class NewInvitation(Input):
    """Whom a code is for, how many it admits, and for how long."""

    name: Label
    uses: int = Field(1, ge=1, le=10_000, description="How many people it admits.")
    expires_in_days: int = Field(30, ge=1, le=366)


class InvitationOut(BaseModel):
    """An invitation, without its code."""

    id: UUID
    name: str
    uses: int
    used: int
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: Invitation) -> Self:
        """Make the JSON form of an invitation."""
        return cls(**{name: getattr(row, name) for name in InvitationOut.model_fields})


class InvitationWithCode(InvitationOut):
    """A new invitation."""

    code: str = Field(description="The code. It is shown only once, because the server stores only a digest.")
