"""Request and response bodies about teams."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from services.api.accounts.schemas import Username
from services.api.competitions.schemas import TeamTerms
from services.api.kit.schemas import Input, Moment
from services.core.models import Offer, TeamInvitation, TeamRole

__all__ = [
    "JoinIn",
    "JoinPreview",
    "MemberSeat",
    "MergeIn",
    "NewTeamInvitation",
    "OfferOut",
    "OwnTeamOut",
    "PersonIn",
    "TeamEntryOut",
    "TeamInvitationOut",
    "TeamInvitationWithCode",
    "TeamListed",
    "TeamPage",
    "TeamRename",
    "TermsChange",
]

Name = Annotated[str, Field(max_length=100)]


class TermsChange(Input):
    """What an organiser changes of the terms of teams. What is left out stays."""

    size: int = Field(5, ge=1, le=100, description="Most people of one team. No team loses anybody.")
    merge_until: Moment | None = Field(None, description="Until when teams may merge; null: not at all.")
    confirm: bool = Field(False, description="Change also what participants of an open phase rely on, and announce it.")

    @property
    def named(self) -> dict[str, Any]:
        """Return the fields that the body names."""
        return {name: getattr(self, name) for name in ("size", "merge_until") if name in self.model_fields_set}

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.named:
            raise ValueError("name `size`, `merge_until` or both")
        return self


class TeamRename(Input):
    name: Username


class PersonIn(Input):
    """Somebody, by user name."""

    username: Name


class MergeIn(Input):
    """The team that may become part of the caller's."""

    team: Name


class JoinIn(Input):
    """The code of an invitation link."""

    code: str = Field(max_length=200)


class NewTeamInvitation(Input):
    uses: int = Field(1, ge=1, le=100, description="How many people the link lets in.")
    expires_in_days: int = Field(7, ge=1, le=90)


class TeamInvitationOut(BaseModel):
    """An invitation link, without its code."""

    id: UUID
    uses: int
    used: int
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, row: TeamInvitation) -> Self:
        """Make the JSON form of an invitation."""
        return cls(**{name: getattr(row, name) for name in TeamInvitationOut.model_fields})


class TeamInvitationWithCode(TeamInvitationOut):
    """A new invitation link."""

    code: str = Field(description="The code. It is shown only once, because the server stores only a digest.")
    path: str = Field(description="The link's path on the web app. The code follows a `#`, so no server logs it.")


class OfferOut(BaseModel):
    """A team's offer to somebody to join it, or to another team to merge into it."""

    id: UUID
    competition: str
    team: str = Field(description="The team that makes the offer.")
    username: str | None = Field(description="Who may join; null if it is about a merge.")
    other: str | None = Field(description="The team that may become part of it; null if it is about one person.")
    created_at: datetime
    yours_to_answer: bool = Field(description="Whether you may accept or decline it; otherwise you may withdraw it.")

    @classmethod
    def of(cls, row: Offer, competition: str, *, yours: bool) -> Self:
        """Make the JSON form of an offer."""
        return cls(
            id=row.id,
            competition=competition,
            team=row.team.name,
            username=row.account.username if row.account else None,
            other=row.other.name if row.other else None,
            created_at=row.created_at,
            yours_to_answer=yours,
        )


class MemberSeat(BaseModel):
    """Somebody in a team."""

    username: str
    role: TeamRole
    joined_at: datetime
    display_name: str = Field(description="Empty, like the other two, unless they let their profile be seen.")
    affiliation: str
    link: str


class TeamEntryOut(BaseModel):
    """A team's entry on a board."""

    competition: str
    phase: str
    submission: str
    rank: int | None = Field(description="Null if it is not ranked, or the board is being computed.")
    submitted_at: datetime


class TeamPage(BaseModel):
    """A team, as everybody may see it."""

    id: UUID = Field(description="It stays when the team is renamed, so `/teams/ID` is a stable link.")
    name: str
    competition: str | None = Field(description="Null for a team that sign-up made: it may compete everywhere.")
    title: str | None = Field(description="The competition's title.")
    role: TeamRole | None = Field(description="Your role in it; null if you are not in it.")
    members: list[MemberSeat] = Field(description="Strangers see those who let themselves be seen.")
    members_hidden: int = Field(description="Members whom you do not see.")
    merged_into: str | None = Field(description="The team of which it has become part.")
    merged: list[str] = Field(description="Teams that have become part of it.")
    entries: list[TeamEntryOut]
    terms: TeamTerms | None


class OwnTeamOut(BaseModel):
    """A team that the caller competes for."""

    name: str
    competition: str
    title: str
    role: TeamRole
    own: bool = Field(description="Whether it is your own, made at sign-up: nobody else can be in it.")
    members: int
    joined_at: datetime


class TeamListed(BaseModel):
    """A team that takes part in a competition."""

    name: str
    captain: str | None = Field(description="Null if the captain does not let strangers see who they are.")
    members: int
    own: bool = Field(description="Whether it is one person's own, made at sign-up.")


class JoinPreview(BaseModel):
    """What an invitation link lets one join, and whether one can."""

    team: TeamPage
    expires_at: datetime
    obstacle: str | None = Field(description="What keeps you from joining, and what to do; null if nothing does.")
    code: str | None = Field(description="The stable code of that.")
