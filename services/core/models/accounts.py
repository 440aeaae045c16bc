"""Who may do what: accounts, the teams that compete, and the tokens that prove an account."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.models.columns import Digest, Id, Name, choice
from services.core.names import skeleton
from services.core.store.database import Base, utc_now

__all__ = ["Account", "Role", "Team", "TeamMember", "Token", "TokenKind"]


class Role(StrEnum):
    PARTICIPANT = "participant"
    ORGANISER = "organiser"  # also creates competitions
    OPERATOR = "operator"  # also runs the machines, and may do what the owner of any competition may


class TokenKind(StrEnum):
    SESSION = "session"  # from a login in a browser or the CLI
    API = "api"  # created by hand, for CI


class Account(Base):
    __tablename__ = "accounts"
    __table_args__ = (
        Index(
            "ix_accounts_roles",
            "username",
            sqlite_where=text("role <> 'participant'"),
            postgresql_where=text("role <> 'participant'"),
        ),
    )

    id: Mapped[Id]
    username: Mapped[str] = mapped_column(String(39), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[Role] = mapped_column(choice(Role), default=Role.PARTICIPANT)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


def _skeleton(context: DefaultExecutionContext) -> str:
    return skeleton(context.get_current_parameters()["name"])  # type: ignore[no-untyped-call]


class Team(Base):
    """A team, to which quotas and leaderboards apply. Sign-up creates a team of one, which has the account's name.

    So no two accounts have names that look alike, either. A team of several is made in a competition, and its people
    are in `seats`.
    """

    __tablename__ = "teams"
    __table_args__ = (
        Index("uq_teams_skeleton", "skeleton", unique=True),
        Index("ix_teams_competition", "competition_id", "name"),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(39), unique=True)
    skeleton: Mapped[str] = mapped_column(String(39), default=_skeleton, server_default="")
    competition_id: Mapped[UUID | None] = mapped_column(ForeignKey("competitions.id"))  # None: made at sign-up
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class TeamMember(Base):
    """Whose own team one is that was made at sign-up, or by an operator."""

    __tablename__ = "team_members"

    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True, index=True)

    team: Mapped[Team] = relationship()


class Token(Base):
    """A token. The database stores only its keyed digest; the token itself is shown once."""

    __tablename__ = "tokens"

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    kind: Mapped[TokenKind] = mapped_column(choice(TokenKind))
    name: Mapped[Name]
    digest: Mapped[Digest] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship()
