"""Merging two teams of a competition: one captain offers, the other accepts, and both teams' use together must fit.

What one team could have had bounds what a merged one has: people, submissions within 24 hours, and submissions in all.
"""

from datetime import timedelta

from sqlalchemy import select

from services.api.kit.auth import Principal
from services.api.people.registering import enter, require_registered
from services.api.submissions.quota import use_of
from services.api.teams import seats
from services.api.teams.joining import TeamFull, add_offer, end_offer
from services.api.teams.leading import NotCaptain, absorb, competition_of, find_team, lock_led
from services.core.errors import Conflict
from services.core.models import (
    Competition,
    Offer,
    OfferState,
    Phase,
    Team,
    TeamMember,
    TeamRole,
)
from services.core.store.database import ReadSession, WriteSession, utc_now

__all__ = ["MergeOverQuota", "MergingClosed", "TeamElsewhere", "accept", "decline", "offer_merge", "require_mergeable"]

DAY = timedelta(hours=24)


class MergingClosed(Conflict):
    code = "merging_closed"


class MergeOverQuota(Conflict):
    code = "merge_over_quota"


class TeamElsewhere(Conflict):
    code = "team_elsewhere"


def offer_merge(session: WriteSession, who: Principal, name: str, other_name: str) -> Offer:
    """Offer another team to become part of the caller's. Raises NotCaptain, and what `require_mergeable` raises."""
    team, own = lock_led(session, who, name)
    other = find_team(session, other_name)
    competition = competition_of(session, team)
    require_mergeable(session, competition, team, other)
    offer = Offer(competition_id=own.competition_id, team=team, other=other, made_by=who.account_id)
    return add_offer(session, who, offer, other=str(other.id))


def accept(session: WriteSession, who: Principal, offer: Offer) -> Team:
    """Merge, as the captain of the other team. Raises NotCaptain, and what `require_mergeable` raises."""
    team, other = offer.team, offer.other
    assert other is not None
    own = [one.id for one in seats.own_teams(session, who.account_id)]
    seats.lock_teams(session, [team.id, other.id, *own])
    competition = competition_of(session, team)
    _require_captain(session, who, competition, other)
    require_mergeable(session, competition, team, other)
    if seats.seat_of(session, competition.id, who.account_id) is None:  # their own team, which has submitted nothing
        require_registered(session, who, competition)
        enter(session, who, competition)
        seats.sit_down(session, competition, other, who.account_id, TeamRole.CAPTAIN)
    end_offer(session, who, offer, OfferState.ACCEPTED)
    absorb(session, who, competition, other, team)
    return team


def decline(session: WriteSession, who: Principal, offer: Offer) -> None:
    """End an offer without a merge or a new member: for whom it was made it declines, for whom made it it withdraws.

    Raises NotCaptain if both are other people.
    """
    seats.lock_teams(session, [offer.team_id, *([offer.other_id] if offer.other_id else [])])
    competition = competition_of(session, offer.team)
    if offer.account_id == who.account_id:
        return end_offer(session, who, offer, OfferState.DECLINED)
    if offer.other is not None and _leads(session, who, competition, offer.other):
        return end_offer(session, who, offer, OfferState.DECLINED)
    _require_captain(session, who, competition, offer.team)
    return end_offer(session, who, offer, OfferState.WITHDRAWN)


def require_mergeable(session: ReadSession, competition: Competition, team: Team, other: Team) -> None:
    """Raise what keeps two teams from merging: MergingClosed, TeamElsewhere, TeamDisqualified, TeamFull, or quota."""
    if competition.merge_until is None or utc_now() >= competition.merge_until:
        when = f"until {competition.merge_until:%Y-%m-%d %H:%M} UTC" if competition.merge_until else "not at all"
        raise MergingClosed(f"Teams of {competition.slug!r} merge {when}. Ask the organiser.")
    size = seats.seated(session, competition.id, team.id)
    if team.id == other.id or not size:
        raise TeamElsewhere(f"Team {team.name!r} cannot merge with {other.name!r}: choose another team.")
    size += _people_of(session, competition, other)
    seats.refuse_disqualified(session, competition, team, other)
    if size > competition.team_size:
        raise TeamFull(
            f"Together you are {size} people, and {competition.slug!r} allows {competition.team_size} in a team."
        )
    require_union(session, competition, team, other)


def require_union(session: ReadSession, competition: Competition, team: Team, other: Team) -> None:
    """Raise MergeOverQuota if both teams together submitted more to a phase than one team could have until now."""
    now = utc_now()
    for phase in session.scalars(select(Phase).where(Phase.competition_id == competition.id).order_by(Phase.slug)):
        uses = [use_of(session, phase, one.id, now) for one in (team, other)]
        if not all(use.in_all for use in uses):
            continue  # one team's own use is no reason
        today, in_all = (sum(getattr(use, name) for use in uses) for name in ("today", "in_all"))
        if today > phase.quota_per_day:
            raise MergeOverQuota(
                f"Together you submitted {today} times to {phase.slug!r} within 24 hours, and one team may "
                f"{phase.quota_per_day} times. Merge when fewer lie within 24 hours."
            )
        days = (min(now, phase.closes_at) - phase.opens_at) // DAY + 1 if now >= phase.opens_at else 0
        most = phase.quota_per_day * days
        most = most if phase.quota_total is None else min(most, phase.quota_total)
        if in_all > most:
            raise MergeOverQuota(
                f"Together you submitted {in_all} times to {phase.slug!r}, and one team could have at most {most} "
                "times until now."
            )


def _people_of(session: ReadSession, competition: Competition, other: Team) -> int:
    """Count the people of a team that may merge: of this competition, or one person's own. Raises TeamElsewhere."""
    if other.competition_id is None:
        owner = session.scalars(select(TeamMember.account_id).where(TeamMember.team_id == other.id)).one()
        seat = seats.seat_of(session, competition.id, owner)
        count = 1 if seat is None or seat.team_id == other.id else 0
    else:
        count = seats.seated(session, competition.id, other.id)
    if not count:
        raise TeamElsewhere(
            f"Team {other.name!r} does not compete in {competition.slug!r}: it has merged, or its people are in other "
            "teams. Check its name."
        )
    return count


def _require_captain(session: ReadSession, who: Principal, competition: Competition, team: Team) -> None:
    if not _leads(session, who, competition, team):
        raise NotCaptain(f"Only the captain of team {team.name!r} may do this. Ask them.")


def _leads(session: ReadSession, who: Principal, competition: Competition, team: Team) -> bool:
    """Tell whether the caller speaks for a team: its captain, or whose own it is and competes for no other."""
    seat = seats.seat_of(session, competition.id, who.account_id)
    if seat is not None:
        return seat.team_id == team.id and seat.role is TeamRole.CAPTAIN
    return team.competition_id is None and seats.is_member(session, who, team.id)
