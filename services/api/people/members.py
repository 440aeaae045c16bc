"""Who runs and reviews a competition. It always has one owner, who can hand it over but not leave."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from services.api.kit.auth import Principal
from services.api.kit.finding import find_competition
from services.api.kit.policy import require
from services.core.errors import Conflict, NotFound
from services.core.models import Account, Act, Competition, CompetitionRole, Member
from services.core.record.acts import record
from services.core.store.database import ReadSession, WriteSession

__all__ = [
    "MOST",
    "OwnerStays",
    "TooManyMembers",
    "add",
    "find_account",
    "give",
    "hand_over",
    "leave",
    "members_of",
    "remove",
    "take",
]

MOST = 50  # so that a competition's members fit into one answer


class OwnerStays(Conflict):
    code = "owner_stays"


class TooManyMembers(Conflict):
    code = "too_many_members"


def members_of(session: ReadSession, competition: Competition) -> Sequence[Member]:
    """List the members beside the owner, by the time at which they came."""
    statement = select(Member).where(Member.competition_id == competition.id).options(selectinload(Member.account))
    return session.scalars(statement.order_by(Member.created_at, Member.account_id)).all()


def add(session: WriteSession, who: Principal, slug: str, username: str, role: CompetitionRole) -> Member:
    """Give somebody a role, in place of another that they have. Raises NotFound, OwnerStays or TooManyMembers."""
    competition = _lock(session, slug, who)
    return give(session, who, competition, find_account(session, username), role)


def give(
    session: WriteSession, who: Principal, competition: Competition, account: Account, role: CompetitionRole
) -> Member:
    """Give somebody a role in a locked competition. Raises OwnerStays or TooManyMembers."""
    _refuse_owner(competition, account)
    found = _member(competition, account)
    if found is not None and found.role is role:
        return found
    if found is None:
        if len(competition.members) >= MOST:
            raise TooManyMembers(f"{competition.slug!r} has {MOST} organisers and reviewers already. Remove one first.")
        found = Member(competition_id=competition.id, account=account)
        session.add(found)
    found.role = role
    session.flush()
    session.expire(competition, ["members"])
    _record(session, Act.MEMBER_ADDED, who, competition, account=str(account.id), role=role)
    return found


def remove(session: WriteSession, who: Principal, slug: str, username: str) -> None:
    """Take somebody's role. Raises NotFound or OwnerStays."""
    competition = _lock(session, slug, who)
    take(session, who, competition, find_account(session, username))


def leave(session: WriteSession, who: Principal, slug: str) -> None:
    """Give up the caller's own role. Raises NotFound or OwnerStays."""
    competition = _lock(session, slug)
    take(session, who, competition, session.get_one(Account, who.account_id))


def hand_over(session: WriteSession, who: Principal, slug: str, username: str) -> None:
    """Make somebody else the owner; the one before becomes an organiser. Raises NotFound or OwnerStays."""
    competition = _lock(session, slug, who)
    account = find_account(session, username)
    _refuse_owner(competition, account)
    before = competition.owner_id
    found = _member(competition, account)
    if found is not None:
        session.delete(found)
    session.add(Member(competition_id=competition.id, account_id=before, role=CompetitionRole.ORGANISER))
    competition.owner_id = account.id
    session.flush()
    _record(session, Act.OWNER_CHANGED, who, competition, account=str(account.id), before=str(before))


def _lock(session: WriteSession, slug: str, who: Principal | None = None) -> Competition:
    """Lock a competition, and ask again whether the caller owns it: somebody may have handed it over meanwhile."""
    wanted = select(Competition).where(Competition.slug == slug).with_for_update(key_share=True)
    competition = session.scalars(wanted).one_or_none() or find_competition(session, slug)
    if who is not None:
        require(who, competition, CompetitionRole.OWNER)
    return competition


def find_account(session: WriteSession, username: str) -> Account:
    """Find an account, which cannot be deleted until the transaction ends."""
    wanted = select(Account).where(Account.username == username, Account.deleted_at.is_(None))
    account = session.scalars(wanted.with_for_update(read=True, key_share=True)).one_or_none()
    if account is None:
        raise NotFound(f"There is no account {username!r}. Check the name.")
    return account


def _refuse_owner(competition: Competition, account: Account) -> None:
    if account.id == competition.owner_id:
        raise OwnerStays(
            f"{account.username} owns {competition.slug!r}, and a competition needs an owner. Hand it over first: run "
            f"`lethe competition people hand-over {competition.slug} USERNAME`."
        )


def _member(competition: Competition, account: Account) -> Member | None:
    return next((member for member in competition.members if member.account_id == account.id), None)


def take(session: WriteSession, who: Principal, competition: Competition, account: Account) -> None:
    """Take somebody's role in a locked competition. Raises NotFound or OwnerStays."""
    _refuse_owner(competition, account)
    found = _member(competition, account)
    if found is None:
        raise NotFound(f"{account.username} has no role in {competition.slug!r}.")
    session.delete(found)
    session.flush()
    session.expire(competition, ["members"])
    _record(session, Act.MEMBER_REMOVED, who, competition, account=str(account.id), role=found.role)


def _record(session: WriteSession, act: Act, who: Principal, competition: Competition, **details: object) -> None:
    record(session, act, competition_id=competition.id, account_id=who.account_id, details=details)
