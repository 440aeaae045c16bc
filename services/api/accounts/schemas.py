"""Request and response bodies for accounts, sessions, tokens and teams."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr, StringConstraints

from services.api.kit.schemas import Input, Label, in_words
from services.core.models import Account, HappeningKind, Role, Scope, Team, Theme, Token, TokenKind

__all__ = [
    "AccountChange",
    "AccountOut",
    "Credentials",
    "EmailOut",
    "MeOut",
    "NewAccount",
    "NewAccountByOperator",
    "NewPassword",
    "NewTeam",
    "NewToken",
    "PreferencesOut",
    "ProfileOut",
    "SessionOut",
    "TeamOut",
    "TokenOut",
    "TokenWithSecret",
    "Username",
]

Username = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,37}[a-z0-9])?$"),
    in_words("use 1 to 39 of the letters a-z, digits and hyphens (-), with a letter or digit at both ends"),
]
NewPassword = Annotated[
    SecretStr, Field(min_length=10, max_length=200), in_words("use at least 10 characters, and at most 200")
]


class NewAccount(Input):
    username: Username = Field(description="Lower-case letters, digits and inner hyphens. It is also the team's name.")
    password: NewPassword


class NewAccountByOperator(NewAccount):
    role: Role = Role.PARTICIPANT


class AccountChange(Input):
    """What an operator may change of an account. What is left out stays."""

    role: Role | None = None
    publishes_benchmarks: bool | None = Field(
        None, description="Whether an organiser may publish benchmarks that were uploaded. Operators may anyway."
    )


class Credentials(Input):
    username: str = Field(max_length=100)
    password: SecretStr = Field(max_length=200)


class NewToken(Input):
    name: Label
    expires_in_days: int = Field(90, ge=1, le=366)
    scopes: list[Scope] = Field(
        [Scope.READ, Scope.SUBMIT],
        min_length=1,
        max_length=len(Scope),
        description="What it may do, within what your account may: read, submit, organise, operate.",
    )


class NewTeam(Input):
    name: Username


class TeamOut(BaseModel):
    id: UUID
    name: str

    @classmethod
    def of(cls, team: Team) -> Self:
        return cls(id=team.id, name=team.name)


class AccountOut(BaseModel):
    id: UUID
    username: str
    role: Role
    publishes_benchmarks: bool = Field(
        description="Whether an operator lets this organiser publish benchmarks that were uploaded."
    )
    created_at: datetime

    @classmethod
    def of(cls, account: Account) -> Self:
        return cls(**{name: getattr(account, name) for name in cls.model_fields})


class ProfileOut(BaseModel):
    display_name: str
    affiliation: str
    link: str


class PreferencesOut(BaseModel):
    mail_wanted: bool = Field(description="Whether Lethe may send mail that was not asked for.")
    kinds: list[HappeningKind] = Field(
        default_factory=lambda: list(HappeningKind), description="All of which one can be told."
    )
    notice_kinds: list[HappeningKind] = Field(description="What one is told of in the web app.")
    mail_kinds: list[HappeningKind] = Field(description="What one is told of by mail, if mail is wanted.")
    shown_in_teams: bool = Field(description="Whether strangers see who one is on pages of teams of several.")
    time_zone: str = Field(description="A name such as Europe/Berlin; empty for the browser's.")
    theme: Theme


class EmailOut(BaseModel):
    address: str
    verified: bool


class MeOut(BaseModel):
    account: AccountOut
    teams: list[TeamOut]
    profile: ProfileOut
    preferences: PreferencesOut
    email: EmailOut | None
    has_password: bool = Field(description="Whether one can log in with a password.")


class TokenOut(BaseModel):
    id: UUID
    kind: TokenKind
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    is_current: bool = Field(description="Whether this request used this token.")

    @classmethod
    def of(cls, token: Token, current_id: UUID) -> Self:
        return cls(
            id=token.id,
            kind=token.kind,
            name=token.name,
            scopes=token.scopes,
            created_at=token.created_at,
            expires_at=token.expires_at,
            is_current=token.id == current_id,
        )


class TokenWithSecret(TokenOut):
    token: str = Field(description="The token. It is shown only once, because the server stores only a digest.")


class SessionOut(BaseModel):
    account: AccountOut
    token: str = Field(description="The session's token, for clients without cookies.")
    expires_at: datetime
