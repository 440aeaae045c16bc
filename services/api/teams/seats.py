"""Which team somebody competes for in a competition: the only home of that rule.

A seat says it. Without a seat it is the person's own team, which sign-up made, and the first submission takes a seat
there. Operators may have several teams of their own, and name the one that submits.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import CompoundSelect, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from services.api.kit.auth import Principal
from services.api.kit.policy import Forbidden
from services.core.board.off import disqualified_teams
from services.core.errors import BadInput, Conflict
from services.core.models import Competition, Phase, Reference, Seat, Submission, Team, TeamMember, TeamRole
from services.core.store.database import ReadSession, WriteSession

__all__ = [
    "BoundToTeam",
    "NotInTeam",
    "TeamChanged",
    "TeamDisqualified",
    "TeamNeeded",
    "has_entries",
    "is_member",
    "lock_teams",
    "own_team_of",
    "own_teams",
    "refuse_disqualified",
    "require_qualified",
    "seat_of",
    "seated",
    "sit_down",
    "take_seat",
    "team_of",
    "team_with_entries",
    "teams_of",
]


class NotInTeam(Forbidden):
    code = "not_in_team"


class TeamDisqualified(Forbidden):
    code = "team_disqualified"


class TeamNeeded(BadInput):
    code = "team_needed"


class BoundToTeam(Conflict):
    code = "bound_to_team"


class TeamChanged(Conflict):
    code = "team_changed"


def teams_of(account: Any) -> CompoundSelect[UUID]:
    """Select the ids of all teams that somebody is in. The account is an id, or a parameter of a statement."""
    own = select(TeamMember.team_id).where(TeamMember.account_id == account)
    seats = select(Seat.team_id).where(Seat.account_id == account, Seat.left_at.is_(None))
    return own.union_all(seats)


def is_member(session: ReadSession, who: Principal, team_id: UUID) -> bool:
    """Tell whether the caller is in a team."""
    return session.scalar(select(Team.id).where(Team.id == team_id, Team.id.in_(teams_of(who.account_id)))) is not None


def own_teams(session: ReadSession, account_id: UUID) -> list[Team]:
    """List the teams that are somebody's own in every competition, oldest first: one, or an operator's several."""
    statement = select(Team).join(TeamMember, TeamMember.team_id == Team.id).where(TeamMember.account_id == account_id)
    return list(session.scalars(statement.order_by(Team.created_at, Team.id)))


def seat_of(session: ReadSession, competition_id: UUID, account_id: UUID) -> Seat | None:
    """Find somebody's seat in a competition, as it is now."""
    with_team = [joinedload(Seat.team)]
    return session.get(Seat, (competition_id, account_id), options=with_team, populate_existing=True)


def seated(session: ReadSession, competition_id: UUID, team_id: UUID) -> int:
    """Count the people who are in a team."""
    there = (Seat.competition_id == competition_id, Seat.team_id == team_id, Seat.left_at.is_(None))
    return session.scalars(select(func.count()).select_from(Seat).where(*there)).one()


def team_of(session: ReadSession, who: Principal, competition: Competition, name: str | None) -> Team:
    """Find the team that the caller competes for. Raises BoundToTeam, TeamNeeded or NotInTeam.

    A name is needed only by operators with several teams of their own.
    """
    seat = seat_of(session, competition.id, who.account_id)
    if seat is not None and seat.left_at is not None:
        raise BoundToTeam(
            f"You left team {seat.team.name!r}, which had submitted to {competition.slug!r}, so you compete for no "
            "other team there. Ask its captain to invite you again."
        )
    teams = [seat.team] if seat is not None else []
    if seat is None or who.is_operator:
        teams += own_teams(session, who.account_id)
    if name is None:
        if seat is not None or len(teams) == 1:
            return teams[0]
        names = ", ".join(team.name for team in teams) or "none"
        raise TeamNeeded(f"Choose the team that submits with `team`. Your teams: {names}.")
    for team in teams:
        if team.name == name:
            return team
    raise NotInTeam(f"You do not compete for a team {name!r} in {competition.slug!r}. See GET /api/me for your teams.")


def require_qualified(session: ReadSession, who: Principal, competition: Competition) -> None:
    """Raise TeamDisqualified if a team of the caller is: otherwise they would go on under another name."""
    teams = {team.id: team for team in own_teams(session, who.account_id)}
    seat = seat_of(session, competition.id, who.account_id)
    if seat is not None:
        teams[seat.team_id] = seat.team
    refuse_disqualified(session, competition, *teams.values())


def refuse_disqualified(session: ReadSession, competition: Competition, *teams: Team) -> None:
    """Raise TeamDisqualified if one of these teams is disqualified from a competition."""
    names = {team.id: team.name for team in teams}
    found = session.scalars(disqualified_teams(competition.id, names).limit(1)).one_or_none()
    if found is not None:
        raise TeamDisqualified(
            f"Team {names[found.team_id]!r} is disqualified from this competition: {found.reason} Ask its organiser."
        )


def has_entries(session: ReadSession, competition_id: UUID, team_id: UUID, *since: Any) -> bool:
    """Tell whether anything that was submitted to a competition counts for a team, apart from reference rows."""
    phases = select(Phase.id).where(Phase.competition_id == competition_id)
    of_team = (Submission.team_id == team_id, Submission.phase_id.in_(phases), Submission.reference == Reference.NONE)
    return bool(session.scalar(select(exists().where(*of_team, *since))))


def own_team_of(session: ReadSession, account_id: UUID) -> Team | None:
    """Find the team that sign-up made for somebody."""
    return next(iter(own_teams(session, account_id)), None)


def team_with_entries(session: ReadSession, competition_id: UUID, account_id: UUID) -> Team | None:
    """Find a team of somebody's own that has submitted to a competition."""
    own = own_teams(session, account_id)
    return next((team for team in own if has_entries(session, competition_id, team.id)), None)


def lock_teams(session: WriteSession, ids: Collection[UUID]) -> None:
    """Lock teams in the order of their ids, so that nobody deadlocks. Others may insert rows that refer to them.

    The scorer does so while it holds an evaluation for which we may wait.
    """
    statement = select(Team).where(Team.id.in_(ids)).order_by(Team.id).with_for_update(key_share=True)
    session.scalars(statement.execution_options(populate_existing=True)).all()


def take_seat(session: WriteSession, who: Principal, competition: Competition, team: Team) -> None:
    """Seat the caller in the team that submits, if they have no seat. Operators submit with any of their own teams."""
    if who.is_operator or seat_of(session, competition.id, who.account_id) is not None:
        return
    sit_down(session, competition, team, who.account_id, TeamRole.CAPTAIN)


def sit_down(
    session: WriteSession, competition: Competition, team: Team, account_id: UUID, role: TeamRole = TeamRole.MEMBER
) -> Seat:
    """Give somebody a seat. Raises TeamChanged if another request was faster: the key allows one seat."""
    seat = Seat(competition_id=competition.id, account_id=account_id, team=team, role=role)
    try:
        with session.begin_nested():
            session.add(seat)
            session.flush()
    except IntegrityError as error:
        raise TeamChanged(f"Your team in {competition.slug!r} has just changed. Look at it, then try again.") from error
    return seat
