"""Coming into a team: by an invitation link, or by the captain's offer to somebody by their user name."""

import hmac
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from services.api.competitions.rights import require_writable
from services.api.kit.auth import Principal
from services.api.people import codes
from services.api.people.codes import BadCode
from services.api.people.registering import enter, require_registered
from services.api.teams import seats
from services.api.teams.leading import InAnotherTeam, competition_of, lock_led, note, submitted_since
from services.core.errors import Conflict, NotFound
from services.core.models import (
    Account,
    Act,
    Competition,
    Offer,
    OfferState,
    Seat,
    Team,
    TeamInvitation,
    TeamRole,
)
from services.core.store.database import ReadSession, WriteSession, utc_now

__all__ = [
    "AlreadyOffered",
    "MergeNeeded",
    "TeamFull",
    "TooManyOffers",
    "end_offer",
    "find_by_code",
    "find_offer",
    "invitations_of",
    "join",
    "join_by_code",
    "make_invitation",
    "offer_to",
    "offers_to",
    "revoke",
]

MOST_OPEN = 50  # offers of one team, and links of one team, so that both fit into one answer
PURPOSE = b"team\0"


class MergeNeeded(Conflict):
    code = "merge_needed"


class TeamFull(Conflict):
    code = "team_full"


class AlreadyOffered(Conflict):
    code = "already_offered"


class TooManyOffers(Conflict):
    code = "too_many_offers"


def make_invitation(
    session: WriteSession, who: Principal, name: str, key: bytes, *, uses: int, days: int
) -> tuple[TeamInvitation, str]:
    """Make an invitation link; return its row and its code, which is not stored. Raises NotCaptain or TooManyOffers."""
    team, _ = lock_led(session, who, name)
    valid = select(func.count()).select_from(TeamInvitation).where(*_lets_in(team))
    if session.scalars(valid).one() >= MOST_OPEN:
        raise TooManyOffers(f"Team {name!r} has {MOST_OPEN} invitations that are valid. Revoke one first.")
    code = codes.new_code()
    row = TeamInvitation(
        team_id=team.id,
        account_id=who.account_id,
        digest=codes.digest_of(key, PURPOSE, code),
        uses=uses,
        expires_at=utc_now() + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    note(session, who, Act.TEAM_INVITATION_MADE, team, invitation=str(row.id), uses=uses)
    return row, code


def invitations_of(session: ReadSession, team: Team) -> list[TeamInvitation]:
    """List a team's invitations that still let somebody in, newest first."""
    statement = select(TeamInvitation).where(*_lets_in(team)).order_by(TeamInvitation.created_at.desc())
    return list(session.scalars(statement))


def revoke(session: WriteSession, who: Principal, name: str, invitation_id: UUID) -> None:
    """Let an invitation let nobody in any more. Raises NotCaptain or NotFound."""
    team, _ = lock_led(session, who, name)
    wanted = select(TeamInvitation).where(TeamInvitation.id == invitation_id, *_lets_in(team))
    row = session.scalars(wanted.with_for_update()).one_or_none()
    if row is None:
        raise NotFound(f"Team {name!r} has no valid invitation {invitation_id}.")
    row.revoked_at = utc_now()
    note(session, who, Act.TEAM_INVITATION_REVOKED, team, invitation=str(row.id))


def find_by_code(session: ReadSession, key: bytes, code: str) -> tuple[TeamInvitation, Team]:
    """Find the team that a code lets people into. Raises BadCode, whatever is wrong with the code."""
    digest = codes.digest_of(key, PURPOSE, code)
    row = session.scalars(select(TeamInvitation).where(TeamInvitation.digest == digest)).one_or_none()
    is_valid = row is not None and row.used < row.uses and row.revoked_at is None and row.expires_at > utc_now()
    if row is None or not is_valid or not hmac.compare_digest(row.digest, digest):
        raise _bad_code()
    return row, session.get_one(Team, row.team_id)


def join_by_code(session: WriteSession, who: Principal, key: bytes, code: str) -> Team:
    """Join a team with the code of an invitation link. Raises BadCode, and what `join` raises."""
    row, team = find_by_code(session, key, code)
    join(session, who, team)
    if not codes.use(session, row):
        raise _bad_code()
    return team


def offer_to(session: WriteSession, who: Principal, name: str, username: str) -> Offer:
    """Offer somebody a place in a team. Raises NotCaptain, NotFound, InAnotherTeam, AlreadyOffered, TooManyOffers."""
    team, own = lock_led(session, who, name)
    account = session.scalars(select(Account).where(Account.username == username)).one_or_none()
    if account is None:
        raise NotFound(f"There is no account {username!r}. Check the name.")
    seat = seats.seat_of(session, own.competition_id, account.id)
    if seat is not None and seat.team_id == team.id and seat.left_at is None:
        raise InAnotherTeam(f"{username} is in team {name!r} already.")
    offer = Offer(competition_id=own.competition_id, team=team, account=account, made_by=who.account_id)
    return add_offer(session, who, offer, account=str(account.id))


def add_offer(session: WriteSession, who: Principal, offer: Offer, **details: object) -> Offer:
    """Keep an offer of a locked team. Raises AlreadyOffered or TooManyOffers."""
    team = offer.team
    is_open = (Offer.team_id == team.id, Offer.state == OfferState.OPEN)
    if session.scalars(select(func.count()).select_from(Offer).where(*is_open)).one() >= MOST_OPEN:
        raise TooManyOffers(f"Team {team.name!r} has made {MOST_OPEN} offers that are open. Withdraw one first.")
    try:
        with session.begin_nested():
            session.add(offer)
            session.flush()
    except IntegrityError as error:
        raise AlreadyOffered("This offer is open already. Wait for the answer.") from error
    note(session, who, Act.TEAM_OFFERED, team, offer=str(offer.id), **details)
    return offer


def offers_to(account_id: UUID) -> Select[Offer]:
    """Select the open offers that somebody may answer, as a person or as the captain of a team, and made as one."""
    captains = select(Seat.team_id).where(Seat.account_id == account_id, Seat.role == TeamRole.CAPTAIN)
    mine = or_(
        Offer.account_id == account_id,
        Offer.other_id.in_(seats.teams_of(account_id)),
        Offer.team_id.in_(captains),
    )
    statement = select(Offer).where(Offer.state == OfferState.OPEN, mine)
    return statement.options(joinedload(Offer.team), joinedload(Offer.other), joinedload(Offer.account))


def find_offer(session: ReadSession, who: Principal, offer_id: UUID) -> Offer:
    """Find an open offer that concerns the caller. Raises NotFound for any other."""
    offer = session.scalars(offers_to(who.account_id).where(Offer.id == offer_id)).one_or_none()
    if offer is None:
        raise NotFound(f"There is no open offer {offer_id} for you. It may have been answered or withdrawn.")
    return offer


def end_offer(session: WriteSession, who: Principal, offer: Offer, state: OfferState) -> None:
    """End an offer whose teams are locked. Raises NotFound if it has ended meanwhile."""
    session.refresh(offer, with_for_update={"of": Offer})
    if offer.state is not OfferState.OPEN:
        raise NotFound(f"The offer {offer.id} has ended: it was {offer.state}.")
    offer.state, offer.ended_at = state, utc_now()
    session.flush()
    note(session, who, Act.TEAM_OFFER_ENDED, offer.team, offer=str(offer.id), state=state)


def join(session: WriteSession, who: Principal, team: Team) -> Seat:
    """Seat the caller in a team. Their own team, or the one that they are in, must not have submitted with them.

    Raises OwnTeam, TeamFull, MergeNeeded, InAnotherTeam, BoundToTeam, TeamDisqualified, TeamChanged, or what
    registering raises.
    """
    own = [one.id for one in seats.own_teams(session, who.account_id)]
    seats.lock_teams(session, [team.id, *own])
    competition = competition_of(session, team)
    require_writable(competition)
    require_registered(session, who, competition)
    enter(session, who, competition)
    seat = require_free(session, who, competition, team)
    if seat is None:
        seat = seats.sit_down(session, competition, team, who.account_id)
    else:
        seat.left_at = None
        session.flush()
    note(session, who, Act.TEAM_JOINED, team)
    return seat


def require_free(session: ReadSession, who: Principal, competition: Competition, team: Team) -> Seat | None:
    """Raise what keeps the caller from joining a team; return the seat that they had left there, if any."""
    seats.require_qualified(session, who, competition)
    seats.refuse_disqualified(session, competition, team)
    if _has_no_captain(session, team):
        raise NotFound(f"Team {team.name!r} has ended or merged. Ask for another invitation.")
    if seats.seated(session, competition.id, team.id) >= competition.team_size:
        raise TeamFull(
            f"Team {team.name!r} is full: {competition.slug!r} allows {competition.team_size} people in a team."
        )
    seat = seats.seat_of(session, competition.id, who.account_id)
    if seat is not None and seat.left_at is not None and seat.team_id == team.id:
        return seat
    entered = seats.team_with_entries(session, competition.id, who.account_id)
    if entered is not None:
        raise _merge_needed(competition, entered)
    if seat is None:
        return None
    if seat.left_at is not None:
        seats.team_of(session, who, competition, None)  # raises BoundToTeam
    if seat.team_id == team.id:
        raise InAnotherTeam(f"You are in team {team.name!r} already.")
    if submitted_since(session, competition.id, seat.team, seat.joined_at):
        raise _merge_needed(competition, seat.team)
    raise InAnotherTeam(f"You are in team {seat.team.name!r} of {competition.slug!r}. Leave it first.")


def _merge_needed(competition: Competition, team: Team) -> MergeNeeded:
    return MergeNeeded(
        f"Your team {team.name!r} has submitted to {competition.slug!r}, so you cannot join another one there. Ask the "
        f"other captain to offer yours a merge: `lethe team merge THEIR-TEAM {team.name}`."
    )


def _has_no_captain(session: ReadSession, team: Team) -> bool:
    captain = select(Seat.account_id).where(Seat.team_id == team.id, Seat.role == TeamRole.CAPTAIN)
    return session.scalar(captain) is None


def _lets_in(team: Team) -> tuple[ColumnElement[bool], ...]:
    return (
        TeamInvitation.team_id == team.id,
        TeamInvitation.revoked_at.is_(None),
        TeamInvitation.used < TeamInvitation.uses,
        TeamInvitation.expires_at > utc_now(),
    )


def _bad_code() -> BadCode:
    return BadCode(
        "The invitation lets you into no team: it is wrong, expired, revoked or used up. Check it, or ask the team's "
        "captain for another one."
    )
