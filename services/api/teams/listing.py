"""Reading teams: a page of a competition's, one's own, and what everybody may see of one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import joinedload

from services.api.competitions.finding import competitions_seen_by
from services.api.competitions.schemas import TeamTerms
from services.api.kit.auth import Principal
from services.api.kit.cursors import Cursors
from services.api.kit.roles import may
from services.api.teams import seats
from services.api.teams.schemas import MemberSeat, OfferOut, OwnTeamOut, TeamEntryOut, TeamListed, TeamPage
from services.core.board import standings
from services.core.errors import NotFound
from services.core.finals.sealed import is_sealed
from services.core.models import (
    Account,
    Competition,
    CompetitionRole,
    LeaderboardEntry,
    Merge,
    Offer,
    OfferState,
    Phase,
    Reference,
    Seat,
    StandingRow,
    Submission,
    Team,
    TeamMember,
    TeamRole,
    Visibility,
)
from services.core.store.database import ReadSession

__all__ = ["page_of", "show_offers", "teams_in", "teams_seated"]

MOST_ENTRIES = 100
PROFILE = ("display_name", "affiliation", "link")
CAPTAIN = Seat.role == TeamRole.CAPTAIN


def teams_in(
    session: ReadSession,
    who: Principal | None,
    competition: Competition,
    search: str,
    *,
    cursors: Cursors,
    limit: int,
    after: str | None,
) -> tuple[list[TeamListed], str | None]:
    """Read one page of a competition's teams, the newest captain's first; a search finds names by their beginning."""
    listing = f"teams:{competition.id}:{search}"
    statement = (
        select(Team, Account, Seat.joined_at)
        .join(Seat, Seat.team_id == Team.id)
        .join(Account, Account.id == Seat.account_id)
        .where(Seat.competition_id == competition.id, CAPTAIN)
    )
    if search:
        statement = statement.where(Team.name >= search, Team.name < search + "~")
    if after is not None:
        moment, team_id = cursors.decode(listing, after)
        last = (
            literal(datetime.fromisoformat(str(moment)), Seat.joined_at.type),
            literal(UUID(str(team_id)), Seat.team_id.type),
        )
        statement = statement.where(tuple_(Seat.joined_at, Seat.team_id) < tuple_(*last))
    statement = statement.order_by(Seat.joined_at.desc(), Seat.team_id.desc()).limit(limit + 1)
    rows = session.execute(statement).all()
    counts = _counts(session, competition.id, [row[0].id for row in rows[:limit]])
    sees_all = may(who, competition, CompetitionRole.REVIEWER)
    mine = set(session.scalars(seats.teams_of(who.account_id))) if who else set()
    items = [
        TeamListed(
            name=team.name,
            captain=captain.username if sees_all or team.id in mine or _is_shown(team, captain) else None,
            members=counts[team.id],
            own=team.competition_id is None,
        )
        for team, captain, _ in rows[:limit]
    ]
    if len(rows) <= limit:
        return items, None
    return items, cursors.encode(listing, [rows[limit - 1][2].isoformat(), str(rows[limit - 1][0].id)])


def teams_seated(
    session: ReadSession, who: Principal, *, cursors: Cursors, limit: int, after: str | None
) -> tuple[list[OwnTeamOut], str | None]:
    """Read one page of the teams that the caller competes for, by competition."""
    statement = select(Seat, Competition).join(Competition, Competition.id == Seat.competition_id)
    statement = statement.where(Seat.account_id == who.account_id, Seat.left_at.is_(None))
    statement = statement.where(Competition.visibility != Visibility.DELETED).options(joinedload(Seat.team))
    if after is not None:
        statement = statement.where(Competition.slug > str(cursors.decode("own-teams", after)[0]))
    rows = session.execute(statement.order_by(Competition.slug).limit(limit + 1)).all()
    items = [
        OwnTeamOut(
            name=seat.team.name,
            competition=competition.slug,
            title=competition.title,
            role=seat.role,
            own=seat.team.competition_id is None,
            members=seats.seated(session, competition.id, seat.team_id),
            joined_at=seat.joined_at,
        )
        for seat, competition in rows[:limit]
    ]
    following = cursors.encode("own-teams", [rows[limit - 1][1].slug]) if len(rows) > limit else None
    return items, following


def show_offers(session: ReadSession, who: Principal, offers: Sequence[Offer]) -> list[OfferOut]:
    """Make the JSON form of offers that concern the caller."""
    ids = {one.competition_id for one in offers}
    found = session.scalars(select(Competition).where(Competition.id.in_(ids)))
    slugs = {one.id: one.slug for one in found}
    mine = set(session.scalars(seats.teams_of(who.account_id)))
    return [
        OfferOut.of(one, slugs[one.competition_id], yours=one.account_id == who.account_id or one.other_id in mine)
        for one in offers
    ]


def page_of(session: ReadSession, who: Principal | None, team: Team, *, invited: bool = False) -> TeamPage:
    """Show a team. Raises NotFound for one of a competition that the caller does not see, unless they are invited."""
    is_in = who is not None and seats.is_member(session, who, team.id)
    competition = session.get(Competition, team.competition_id) if team.competition_id else None
    if competition is not None and not (is_in or invited or _sees(session, who, competition)):
        raise NotFound(f"There is no team {team.name!r}. Check its name.")
    seat = seats.seat_of(session, competition.id, who.account_id) if who and competition and is_in else None
    own_role = TeamRole.CAPTAIN if is_in and competition is None else None
    merged = select(Merge).where(or_(Merge.into_id == team.id, Merge.team_id == team.id)).order_by(Merge.at)
    merges = session.scalars(merged.options(joinedload(Merge.team), joinedload(Merge.into)).limit(MOST_ENTRIES)).all()
    into = [one.into.name for one in merges if one.team_id == team.id and team.competition_id is not None]
    reviews = competition is not None and may(who, competition, CompetitionRole.REVIEWER)
    people = _members(session, team)
    sees_all = is_in or invited or reviews or (who is not None and _is_offered(session, who, team))
    shown = [one for one in people if sees_all or _is_shown(team, one[0])]
    return TeamPage(
        id=team.id,
        name=team.name,
        competition=competition.slug if competition else None,
        title=competition.title if competition else None,
        role=seat.role if seat else own_role,
        members=[_seat(*one) for one in shown],
        members_hidden=len(people) - len(shown),
        merged_into=into[0] if into else None,
        merged=[one.team.name for one in merges if one.into_id == team.id],
        entries=_entries(session, who, team, everything=is_in or invited),
        terms=TeamTerms(size=competition.team_size, merge_until=competition.merge_until) if competition else None,
    )


def _is_offered(session: ReadSession, who: Principal, team: Team) -> bool:
    """Tell whether a team offers the caller a place."""
    open_one = (Offer.team_id == team.id, Offer.account_id == who.account_id, Offer.state == OfferState.OPEN)
    return session.scalars(select(Offer.id).where(*open_one).limit(1)).one_or_none() is not None


def _is_shown(team: Team, account: Account) -> bool:
    """Tell whether strangers see who is in a team: whoever lets them, and whose name the team has."""
    return account.shown_in_teams or team.competition_id is None


def _seat(account: Account, role: TeamRole, joined_at: datetime) -> MemberSeat:
    profile = {name: getattr(account, name) if account.shown_in_teams else "" for name in PROFILE}
    return MemberSeat(username=account.username, role=role, joined_at=joined_at, **profile)


def _members(session: ReadSession, team: Team) -> list[tuple[Account, TeamRole, datetime]]:
    if team.competition_id is None:
        own = select(Account).join(TeamMember, TeamMember.account_id == Account.id)
        people = session.scalars(own.where(TeamMember.team_id == team.id))
        return [(one, TeamRole.CAPTAIN, team.created_at) for one in people]
    statement = select(Seat).where(Seat.team_id == team.id, Seat.left_at.is_(None)).options(joinedload(Seat.account))
    rows = session.scalars(statement.order_by(Seat.role, Seat.joined_at, Seat.account_id))
    return [(one.account, one.role, one.joined_at) for one in rows]


def _entries(session: ReadSession, who: Principal | None, team: Team, *, everything: bool) -> list[TeamEntryOut]:
    """List a team's entries on the boards that the caller sees; those of sealed finals are left out for everybody."""
    statement = (
        select(LeaderboardEntry, Phase, Competition.slug, Submission.name)
        .join(Phase, Phase.id == LeaderboardEntry.phase_id)
        .join(Competition, Competition.id == Phase.competition_id)
        .join(Submission, Submission.id == LeaderboardEntry.submission_id)
        .where(LeaderboardEntry.team_id == team.id, LeaderboardEntry.retired_at.is_(None))
        .where(LeaderboardEntry.reference == Reference.NONE, Competition.visibility != Visibility.DELETED)
    )
    if not everything:
        seen = competitions_seen_by(who).with_only_columns(Competition.id)
        statement = statement.where(or_(Competition.id.in_(seen), Competition.visibility == Visibility.UNLISTED))
        if team.competition_id is None:
            statement = statement.where(Competition.id.in_(seen))
    rows = session.execute(statement.order_by(LeaderboardEntry.submitted_at.desc()).limit(MOST_ENTRIES)).all()
    return [
        TeamEntryOut(
            competition=slug,
            phase=phase.slug,
            submission=name,
            rank=_rank(session, phase, entry),
            submitted_at=entry.submitted_at,
        )
        for entry, phase, slug, name in rows
        if not is_sealed(phase)
    ]


def _rank(session: ReadSession, phase: Phase, entry: LeaderboardEntry) -> int | None:
    board = standings.newest(session, phase)
    if board is None:
        return None
    place: ColumnElement[Any] = and_(StandingRow.standings_id == board.id, StandingRow.entry_id == entry.id)
    return session.scalar(select(StandingRow.rank).where(place))


def _sees(session: ReadSession, who: Principal | None, competition: Competition) -> bool:
    if competition.visibility in (Visibility.PUBLIC, Visibility.UNLISTED, Visibility.ARCHIVED):
        return True
    return may(who, competition, CompetitionRole.REVIEWER) and competition.visibility is not Visibility.DELETED


def _counts(session: ReadSession, competition_id: UUID, team_ids: Sequence[UUID]) -> dict[UUID, int]:
    there = (Seat.competition_id == competition_id, Seat.team_id.in_(team_ids), Seat.left_at.is_(None))
    rows = session.execute(select(Seat.team_id, func.count()).where(*there).group_by(Seat.team_id))
    return dict(rows.all())
