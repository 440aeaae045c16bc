"""Making teams and leading them: names, captains, and who is in them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from services.api.accounts.service import NameTaken, refuse_reserved
from services.api.competitions.finding import find_writable
from services.api.competitions.rights import require_writable
from services.api.kit.auth import Principal
from services.api.kit.policy import Forbidden
from services.api.people.registering import enter, require_registered
from services.api.teams import seats
from services.core.board.merging import move_entries
from services.core.errors import Conflict, NotFound
from services.core.models import (
    Account,
    Act,
    Competition,
    Merge,
    Offer,
    OfferState,
    Seat,
    Submission,
    Team,
    TeamInvitation,
    TeamRole,
)
from services.core.record.acts import record
from services.core.store.database import ReadSession, WriteSession, clock, utc_now

__all__ = [
    "CaptainStays",
    "InAnotherTeam",
    "NotCaptain",
    "OwnTeam",
    "absorb",
    "competition_of",
    "create",
    "find_team",
    "hand_over",
    "leave",
    "lock_led",
    "note",
    "remove",
    "rename",
    "submitted_since",
]


class NotCaptain(Forbidden):
    code = "not_captain"


class OwnTeam(Conflict):
    code = "own_team"


class InAnotherTeam(Conflict):
    code = "in_another_team"


class CaptainStays(Conflict):
    code = "captain_stays"


def find_team(session: ReadSession, name: str) -> Team:
    """Find a team by its id, which a stable link holds, or by its name. Raises NotFound."""
    team = _with_id(session, name) or session.scalars(select(Team).where(Team.name == name)).one_or_none()
    if team is None:
        raise NotFound(f"There is no team {name!r}. Check its name.")
    return team


def _with_id(session: ReadSession, text: str) -> Team | None:
    try:
        return session.get(Team, UUID(text))
    except ValueError:
        return None


def competition_of(session: ReadSession, team: Team) -> Competition:
    """Find the competition of a team. Raises OwnTeam for a team that sign-up made, which is of no competition."""
    if team.competition_id is None:
        raise OwnTeam(
            f"Team {team.name!r} is one person's own, and stays as it is. Create a team in a competition to have "
            "others in it or another name."
        )
    return session.get_one(Competition, team.competition_id)


def create(session: WriteSession, who: Principal, slug: str, name: str) -> Team:
    """Make a team with the caller as its captain. What they submitted with their own team counts for it from now on.

    Raises NameTaken, InAnotherTeam, BoundToTeam, TeamDisqualified or FinalStarted.
    """
    own = [team.id for team in seats.own_teams(session, who.account_id)]
    seats.lock_teams(session, own)
    competition = find_writable(session, slug, who)
    require_registered(session, who, competition)
    enter(session, who, competition)
    seats.require_qualified(session, who, competition)
    seat = seats.seat_of(session, competition.id, who.account_id)
    if seat is not None and seat.team_id not in own:
        seats.team_of(session, who, competition, None)  # raises if they left it
        raise InAnotherTeam(f"You are in team {seat.team.name!r} of {slug!r}. Leave it first.")
    if not who.is_operator:
        refuse_reserved(name)
    team = Team(name=name, competition_id=competition.id)
    session.add(team)
    _flush_name(session, name)
    if seat is None:
        seats.sit_down(session, competition, team, who.account_id, TeamRole.CAPTAIN)
    note(session, who, Act.TEAM_MADE, team)
    before = seats.team_with_entries(session, competition.id, who.account_id)
    if before is not None:
        absorb(session, who, competition, before, team)
    elif seat is not None:
        seat.team = team
        session.flush()
    return team


def absorb(session: WriteSession, who: Principal, competition: Competition, team: Team, into: Team) -> None:
    """Make a team part of another one: its entries, its people, and what it had open. Both are locked."""
    moved = move_entries(session, competition.id, team, into)
    theirs = (Seat.competition_id == competition.id, Seat.team_id == team.id)
    captains = session.scalars(select(Seat).where(Seat.team_id == into.id, Seat.role == TeamRole.CAPTAIN)).all()
    for seat in session.scalars(select(Seat).where(*theirs)).all():
        seat.role = TeamRole.MEMBER if captains else seat.role
        seat.team = into
    session.flush()
    session.add(Merge(competition_id=competition.id, team=team, into=into, at=utc_now()))
    _close(session, competition, team)
    session.flush()
    details = {"other": str(team.id), "submissions": moved}
    note(session, who, Act.TEAMS_MERGED, into, **details)


def rename(session: WriteSession, who: Principal, name: str, new: str) -> Team:
    """Give a team another name. Raises NotCaptain, OwnTeam or NameTaken."""
    team, _ = lock_led(session, who, name)
    if not who.is_operator:
        refuse_reserved(new)
    before = team.name
    team.rename(new, clock(session))
    _flush_name(session, new)
    note(session, who, Act.TEAM_RENAMED, team, name=new, before=before)
    return team


def hand_over(session: WriteSession, who: Principal, name: str, username: str) -> None:
    """Make another member the captain. Raises NotCaptain or NotFound."""
    team, own = lock_led(session, who, name)
    other = _member(session, team, username)
    if other is own:
        return
    own.role = TeamRole.MEMBER
    session.flush()
    other.role = TeamRole.CAPTAIN
    session.flush()
    note(session, who, Act.TEAM_HANDED_OVER, team, account=str(other.account_id))


def remove(session: WriteSession, who: Principal, name: str, username: str) -> None:
    """Take a member out of a team. Raises NotCaptain, NotFound or CaptainStays."""
    team, own = lock_led(session, who, name)
    seat = _member(session, team, username)
    if seat is own:
        raise CaptainStays("You are the captain. Hand the team over first, then leave it.")
    _stand_up(session, team, seat)
    note(session, who, Act.TEAM_MEMBER_REMOVED, team, account=str(seat.account_id))


def leave(session: WriteSession, who: Principal, name: str) -> None:
    """Leave a team; the last member of one that has not submitted ends it. Raises NotInTeam or CaptainStays."""
    team = find_team(session, name)
    competition = competition_of(session, team)
    seats.lock_teams(session, [team.id])
    require_writable(competition)
    seat = seats.seat_of(session, competition.id, who.account_id)
    if seat is None or seat.team_id != team.id or seat.left_at is not None:
        raise seats.NotInTeam(f"You are not in team {name!r}.")
    if seat.role is TeamRole.CAPTAIN:
        _require_dispensable(session, competition, team)
        session.delete(seat)
        session.flush()
        note(session, who, Act.TEAM_LEFT, team)
        _end(session, team)
        return
    _stand_up(session, team, seat)
    note(session, who, Act.TEAM_LEFT, team)


def lock_led(session: WriteSession, who: Principal, name: str) -> tuple[Team, Seat]:
    """Lock a team that the caller leads; return it and their seat. Raises NotFound, OwnTeam or NotCaptain."""
    team = find_team(session, name)
    competition = competition_of(session, team)
    seats.lock_teams(session, [team.id])
    require_writable(competition)
    seat = seats.seat_of(session, competition.id, who.account_id)
    if seat is None or seat.team_id != team.id or seat.role is not TeamRole.CAPTAIN:
        raise NotCaptain(f"Only the captain of team {name!r} may do this. Ask them.")
    return team, seat


def note(session: WriteSession, who: Principal, act: Act, team: Team, **details: object) -> None:
    """Put an act on record. It names teams and people by their ids."""
    own = {"team": str(team.id), **details}
    record(session, act, competition_id=team.competition_id, account_id=who.account_id, details=own)


def submitted_since(session: ReadSession, competition_id: UUID, team: Team, joined_at: datetime) -> bool:
    """Tell whether a team has submitted to a competition since somebody joined it."""
    return seats.has_entries(session, competition_id, team.id, Submission.created_at >= joined_at)


def _member(session: WriteSession, team: Team, username: str) -> Seat:
    statement = select(Seat).join(Account, Account.id == Seat.account_id)
    statement = statement.where(Seat.team_id == team.id, Seat.left_at.is_(None), Account.username == username)
    seat = session.scalars(statement).one_or_none()
    if seat is None:
        raise NotFound(f"{username!r} is not in team {team.name!r}. Check the name.")
    return seat


def _stand_up(session: WriteSession, team: Team, seat: Seat) -> None:
    """End a membership. Whoever was there while the team submitted keeps the seat, and competes for no other team."""
    competition = session.get_one(Competition, seat.competition_id)
    seats.refuse_disqualified(session, competition, team)
    if submitted_since(session, competition.id, team, seat.joined_at):
        seat.left_at = utc_now()
    else:
        session.delete(seat)
    session.flush()


def _require_dispensable(session: ReadSession, competition: Competition, team: Team) -> None:
    seats.refuse_disqualified(session, competition, team)
    if seats.seated(session, competition.id, team.id) > 1:
        raise CaptainStays(f"You are the captain of {team.name!r}. Hand the team over first, then leave it.")
    if seats.has_entries(session, competition.id, team.id):
        raise CaptainStays(
            f"Team {team.name!r} has submitted, and you are its last member, so you stay. To compete with others, "
            "invite them, or merge with their team."
        )


def _close(session: WriteSession, competition: Competition, team: Team) -> None:
    """End what a team that has merged had open: its invitations, and offers from it and to it."""
    links = update(TeamInvitation).where(TeamInvitation.team_id == team.id, TeamInvitation.revoked_at.is_(None))
    session.execute(links.values(revoked_at=utc_now()))
    about = (Offer.team_id == team.id) | (Offer.other_id == team.id)
    offers = update(Offer).where(Offer.competition_id == competition.id, Offer.state == OfferState.OPEN, about)
    session.execute(offers.values(state=OfferState.WITHDRAWN, ended_at=utc_now()))


def _end(session: WriteSession, team: Team) -> None:
    """Remove a team that has nobody and nothing, so that its name is free."""
    session.execute(delete(TeamInvitation).where(TeamInvitation.team_id == team.id))
    session.execute(delete(Offer).where((Offer.team_id == team.id) | (Offer.other_id == team.id)))
    merged = (Merge.team_id == team.id) | (Merge.into_id == team.id)
    submitted = select(Submission.id).where(Submission.team_id == team.id).limit(1)
    if session.scalar(select(Merge.team_id).where(merged).limit(1)) is None and session.scalar(submitted) is None:
        session.delete(team)
    session.flush()


def _flush_name(session: WriteSession, name: str) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise NameTaken(f"The name {name!r} is taken, or looks like one that is. Choose another one.") from error
