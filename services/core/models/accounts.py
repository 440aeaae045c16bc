"""Who may do what: accounts, the teams that compete, and the tokens that prove an account."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, false, text, true
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.models.columns import Digest, Id, Name, choice
from services.core.models.happenings import HappeningKind
from services.core.names import skeleton
from services.core.store.database import Base, utc_now

__all__ = [
    "ALL_SCOPES",
    "Account",
    "AccountLink",
    "Identity",
    "LinkKind",
    "Role",
    "Scope",
    "Team",
    "TeamMember",
    "Theme",
    "Token",
    "TokenKind",
]


class Role(StrEnum):
    PARTICIPANT = "participant"
    ORGANISER = "organiser"  # also creates competitions
    OPERATOR = "operator"  # also runs the machines, and may do what the owner of any competition may


class TokenKind(StrEnum):
    SESSION = "session"  # from a login in a browser or the CLI
    API = "api"  # created by hand, for CI


class Scope(StrEnum):
    """What a token may do on behalf of its account; a session may do all of it."""

    READ = "read"
    SUBMIT = "submit"  # what participants change: uploads, selections, registrations
    ORGANISE = "organise"  # what those change who run a competition
    OPERATE = "operate"  # what operators read and change


ALL_SCOPES = " ".join(Scope)


class Theme(StrEnum):
    """How the web app looks."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class LinkKind(StrEnum):
    RESET = "reset"  # sets a new password
    VERIFY = "verify"  # proves an e-mail address


class Account(Base):
    __tablename__ = "accounts"
    __table_args__ = (
        Index(
            "ix_accounts_roles",
            "username",
            sqlite_where=text("role <> 'participant'"),
            postgresql_where=text("role <> 'participant'"),
        ),
        Index("ix_accounts_email", "email"),
    )

    id: Mapped[Id]
    username: Mapped[str] = mapped_column(String(39), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))  # empty: nobody can log in with a password
    role: Mapped[Role] = mapped_column(choice(Role), default=Role.PARTICIPANT)
    email: Mapped[str | None] = mapped_column(String(254))  # in lower case; several accounts may have the same
    email_verified_at: Mapped[datetime | None]
    display_name: Mapped[str] = mapped_column(String(100), default="", server_default="")
    affiliation: Mapped[str] = mapped_column(String(200), default="", server_default="")
    link: Mapped[str] = mapped_column(String(500), default="", server_default="")
    mail_wanted: Mapped[bool] = mapped_column(default=True, server_default=true())  # beside mail that one asks for
    # what one is told of in the web app, and by mail; None: what is usual, `api/notices/choices.py`
    notice_kinds: Mapped[list[HappeningKind] | None] = mapped_column(JSON(none_as_null=True))
    mail_kinds: Mapped[list[HappeningKind] | None] = mapped_column(JSON(none_as_null=True))
    # whether strangers see who one is on the pages of teams of several
    shown_in_teams: Mapped[bool] = mapped_column(default=False, server_default=false())
    # whether an organiser may publish benchmarks that were uploaded; operators may anyway
    publishes_benchmarks: Mapped[bool] = mapped_column(default=False, server_default=false())
    time_zone: Mapped[str] = mapped_column(String(64), default="", server_default="")  # empty: the browser's
    theme: Mapped[Theme] = mapped_column(choice(Theme, checked=False), default=Theme.SYSTEM, server_default="system")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None]  # then username and team are a pseudonym, and all else of a person is gone


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
        Index("ix_teams_renamed", "renamed_at"),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(39), unique=True)
    skeleton: Mapped[str] = mapped_column(String(39), default=_skeleton, server_default="")
    competition_id: Mapped[UUID | None] = mapped_column(ForeignKey("competitions.id"))  # None: made at sign-up
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    renamed_at: Mapped[datetime | None]  # by the database's clock

    def rename(self, name: str, moment: datetime) -> None:
        """Give the team another name. Whoever keeps pages with names of teams learns it by the moment."""
        self.name, self.skeleton, self.renamed_at = name, skeleton(name), moment


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
    scope: Mapped[str] = mapped_column(String(60), default=ALL_SCOPES, server_default=ALL_SCOPES)  # words of Scope
    digest: Mapped[Digest] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship()

    @property
    def scopes(self) -> list[Scope]:
        """List what the token may do."""
        return [Scope(word) for word in self.scope.split()]


class AccountLink(Base):
    """A link that proves its holder once, from a mail or an operator. The database stores only its keyed digest."""

    __tablename__ = "account_links"

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    kind: Mapped[LinkKind] = mapped_column(choice(LinkKind))
    digest: Mapped[Digest] = mapped_column(String(64), unique=True)
    email: Mapped[str | None] = mapped_column(String(254))  # the address that it proves
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Identity(Base):
    """Somebody at an OpenID Connect provider, who may sign in to an account. An issuer never gives a subject again."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
