"""Leaving every team at once, because an account ends."""

from uuid import UUID

from sqlalchemy import select, update

from services.core.models import Offer, OfferState, Seat, Team, TeamRole
from services.core.store.database import WriteSession, utc_now

__all__ = ["depart"]


def depart(session: WriteSession, account_id: UUID) -> list[Team]:
    """Take somebody out of all teams that have others in them; return the teams in which they are alone.

    The teams are locked. If the captain goes, the member who has been there longest leads. Whoever is alone keeps the
    seat, because what the team submitted stays.
    """
    alone = []
    mine = (Seat.account_id == account_id, Seat.left_at.is_(None))
    for seat in session.scalars(select(Seat).where(*mine).order_by(Seat.competition_id)).all():
        others = _beside(session, seat)
        if not others:
            alone.append(seat.team)
            continue
        if seat.role is TeamRole.CAPTAIN:
            seat.role = TeamRole.MEMBER
            session.flush()  # a team never has two captains
            others[0].role = TeamRole.CAPTAIN
        seat.left_at = utc_now()
    waiting = update(Offer).where(Offer.account_id == account_id, Offer.state == OfferState.OPEN)
    session.execute(waiting.values(state=OfferState.DECLINED, ended_at=utc_now()))
    session.flush()
    return alone


def _beside(session: WriteSession, seat: Seat) -> list[Seat]:
    """List the seats of the other members of a team, the longest held first."""
    there = (Seat.competition_id == seat.competition_id, Seat.team_id == seat.team_id, Seat.left_at.is_(None))
    others = select(Seat).where(*there, Seat.account_id != seat.account_id)
    return list(session.scalars(others.order_by(Seat.joined_at, Seat.account_id)))
