"""Who has a role in a competition, who is registered for it, and the codes that invite to it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.models.accounts import Account
from services.core.models.columns import Digest, Id, Name, choice
from services.core.store.database import Base, utc_now

__all__ = ["CompetitionRole", "Invitation", "Member", "Registration", "RegistrationMode", "RegistrationState"]


class CompetitionRole(StrEnum):
    PARTICIPANT = "participant"  # is registered, and submits
    REVIEWER = "reviewer"  # reads all that an organiser reads, and changes nothing
    ORGANISER = "organiser"  # runs the competition
    OWNER = "owner"  # also decides who runs it; Competition.owner_id


class RegistrationMode(StrEnum):
    """How people come to take part in a competition."""

    OPEN = "open"  # whoever has an account
    APPROVAL = "approval"  # whom an organiser approves
    INVITATION = "invitation"  # who has a code


class RegistrationState(StrEnum):
    WAITING = "waiting"  # for an organiser
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Member(Base):
    """Somebody who runs or reviews a competition beside its owner."""

    __tablename__ = "members"
    __table_args__ = (CheckConstraint("role IN ('organiser', 'reviewer')", name="role"),)

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True, index=True)
    role: Mapped[CompetitionRole] = mapped_column(choice(CompetitionRole, checked=False))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    account: Mapped[Account] = relationship()


class Registration(Base):
    """Somebody who takes part in a competition, or asked to.

    It repeats the username, so that a page of a competition's registrations is found by its beginning and in its order;
    Postgres orders it by bytes, as SQLite does.
    """

    __tablename__ = "registrations"
    __table_args__ = (
        UniqueConstraint("competition_id", "username"),
        Index("ix_registrations_state", "competition_id", "state", "username"),
    )

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True, index=True)
    username: Mapped[str] = mapped_column(String(39).with_variant(String(39, collation="C"), "postgresql"))
    state: Mapped[RegistrationState] = mapped_column(choice(RegistrationState))
    reason: Mapped[str | None] = mapped_column(String(2000))  # why it was refused, which the person sees
    rules_version: Mapped[str | None] = mapped_column(String(64))  # of the rules that were accepted last
    rules_accepted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    decided_at: Mapped[datetime | None]  # by an organiser


class Invitation(Base):
    """A code that admits some people to a competition. The database stores only its keyed digest."""

    __tablename__ = "invitations"
    __table_args__ = (
        UniqueConstraint("competition_id", "digest"),
        Index("ix_invitations_order", "competition_id", "created_at", "id"),
        CheckConstraint("used >= 0 AND used <= uses", name="used"),
    )

    id: Mapped[Id]
    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))  # who made it
    name: Mapped[Name]  # whom it is for
    digest: Mapped[Digest]
    uses: Mapped[int]
    used: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
