"""Who competes for which team in a competition, how people come into teams, and which teams have merged."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.models.accounts import Account, Team
from services.core.models.columns import Digest, Id, choice
from services.core.store.database import Base, utc_now

__all__ = ["Merge", "Offer", "OfferState", "Seat", "TeamInvitation", "TeamRole", "Transfer"]

OPEN = text("state = 'open'")


class TeamRole(StrEnum):
    CAPTAIN = "captain"  # invites, removes, renames, merges
    MEMBER = "member"


class OfferState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Seat(Base):
    """Somebody's place in a team of a competition. The key allows one per person and competition, also in a race.

    Whoever leaves a team that submitted while they were in it keeps the seat, with the time at which they left: they
    may come back, and compete for no other team.
    """

    __tablename__ = "seats"
    __table_args__ = (
        Index(
            "uq_seats_captain",
            "competition_id",
            "team_id",
            unique=True,
            sqlite_where=text("role = 'captain'"),
            postgresql_where=text("role = 'captain'"),
        ),
        Index(
            "ix_seats_captains",
            "competition_id",
            "joined_at",
            "team_id",
            sqlite_where=text("role = 'captain'"),
            postgresql_where=text("role = 'captain'"),
        ),
        Index("ix_seats_team", "team_id", "joined_at"),
        CheckConstraint("left_at IS NULL OR role = 'member'", name="left"),
    )

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True, index=True)
    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id"))
    role: Mapped[TeamRole] = mapped_column(choice(TeamRole), default=TeamRole.MEMBER)
    joined_at: Mapped[datetime] = mapped_column(default=utc_now)
    left_at: Mapped[datetime | None]

    team: Mapped[Team] = relationship()
    account: Mapped[Account] = relationship()


class TeamInvitation(Base):
    """A link that lets some people into a team. The database stores only its code's keyed digest."""

    __tablename__ = "team_invitations"
    __table_args__ = (
        Index("ix_team_invitations_order", "team_id", "created_at", "id"),
        CheckConstraint("used >= 0 AND used <= uses", name="used"),
    )

    id: Mapped[Id]
    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))  # who made it
    digest: Mapped[Digest] = mapped_column(unique=True)
    uses: Mapped[int]
    used: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Offer(Base):
    """A team's offer to somebody to join it, or to another team to merge into it."""

    __tablename__ = "offers"
    __table_args__ = (
        CheckConstraint("(account_id IS NULL) <> (other_id IS NULL)", name="to_one"),
        Index("uq_offers_account", "team_id", "account_id", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
        Index("uq_offers_other", "team_id", "other_id", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_offers_account", "account_id", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_offers_other", "other_id", sqlite_where=OPEN, postgresql_where=OPEN),
    )

    id: Mapped[Id]
    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"))
    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))  # who may join
    other_id: Mapped[UUID | None] = mapped_column(ForeignKey("teams.id"))  # which team may merge into it
    made_by: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    state: Mapped[OfferState] = mapped_column(choice(OfferState), default=OfferState.OPEN)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]

    team: Mapped[Team] = relationship(foreign_keys=team_id)
    other: Mapped[Team | None] = relationship(foreign_keys=other_id)
    account: Mapped[Account | None] = relationship(foreign_keys=account_id)


class Merge(Base):
    """A team that has become part of another one in a competition."""

    __tablename__ = "merges"
    __table_args__ = (Index("ix_merges_into", "into_id", "competition_id"),)

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"), primary_key=True)
    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    into_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id"))
    at: Mapped[datetime] = mapped_column(default=utc_now)

    team: Mapped[Team] = relationship(foreign_keys=team_id)
    into: Mapped[Team] = relationship(foreign_keys=into_id)


class Transfer(Base):
    """That a submission counted for another team until a merge. Boards as of earlier moments ask for it."""

    __tablename__ = "transfers"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)  # when the pointers of its phase moved
    from_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id"))
