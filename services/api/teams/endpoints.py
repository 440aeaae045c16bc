"""Endpoints for teams: making and leading them, coming in, leaving, merging, and what a competition allows."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from services.api.accounts.schemas import NewTeam
from services.api.competitions.schemas import TeamTerms
from services.api.kit.addresses import address_of
from services.api.kit.auth import Principal
from services.api.kit.finding import find_competition
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import Anyone, Organising, SignedIn
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading, Writing
from services.api.people.registering import require_registered
from services.api.state import State
from services.api.teams import joining, leading, listing, merging, seats
from services.api.teams.schemas import (
    JoinIn,
    JoinPreview,
    MergeIn,
    NewTeamInvitation,
    OfferOut,
    OwnTeamOut,
    PersonIn,
    TeamInvitationOut,
    TeamInvitationWithCode,
    TeamListed,
    TeamPage,
    TeamRename,
    TermsChange,
)
from services.api.teams.terms import change_terms
from services.core.errors import LetheError
from services.core.models import Offer, OfferState, Team
from services.core.store.database import ReadSession

__all__ = ["router"]

router = APIRouter(tags=["teams"])
OF_COMPETITION = "/competitions/{slug}/teams"
OF_TEAM = "/teams/{name}"


@router.get(OF_COMPETITION)
def list_teams(
    *,
    slug: Text,
    who: Anyone,
    session: Reading,
    state: State,
    search: Annotated[Text, Query(max_length=39, description="Only teams whose name begins with this text.")] = "",
    limit: Limit = 50,
    after: After = None,
) -> Page[TeamListed]:
    """List the teams that take part in a competition, newest first."""
    competition = find_competition(session, slug, who)
    items, following = listing.teams_in(
        session, who, competition, search, cursors=state.cursors, limit=limit, after=after
    )
    return Page(items=items, next=following)


@router.post(OF_COMPETITION, status_code=201)
def create_team_in(slug: Text, new: NewTeam, who: SignedIn, session: Writing) -> TeamPage:
    """Make a team in a competition, with you as its captain. What you submitted there counts for it from now on."""
    return listing.page_of(session, who, leading.create(session, who, slug, new.name))


@router.patch(OF_COMPETITION)
def change_team_terms(slug: Text, change: TermsChange, who: Organising, session: Writing) -> TeamTerms:
    """Change how large teams may be and until when they may merge. No team loses anybody."""
    competition = change_terms(session, who, slug, change.named, confirm=change.confirm)
    return TeamTerms(size=competition.team_size, merge_until=competition.merge_until)


@router.get("/me/teams")
def list_own_teams(
    *, who: SignedIn, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[OwnTeamOut]:
    """List the teams that you compete for, by competition."""
    items, following = listing.teams_seated(session, who, cursors=state.cursors, limit=limit, after=after)
    return Page(items=items, next=following)


@router.get("/me/offers")
def list_offers(
    *, who: SignedIn, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[OfferOut]:
    """List open offers to you and your teams, and those of the teams that you lead; newest first."""
    rows, following = newest_first(
        session,
        joining.offers_to(who.account_id),
        Offer,
        cursors=state.cursors,
        listing="offers",
        limit=limit,
        after=after,
    )
    return Page(items=listing.show_offers(session, who, rows), next=following)


@router.get(OF_TEAM)
def show_team(name: Text, who: Anyone, session: Reading) -> TeamPage:
    """Show a team: its members, its competition, and its entries on boards."""
    return listing.page_of(session, who, leading.find_team(session, name))


@router.patch(OF_TEAM)
def rename_team(name: Text, new: TeamRename, who: SignedIn, session: Writing) -> TeamPage:
    """Give a team that you lead another name."""
    return listing.page_of(session, who, leading.rename(session, who, name, new.name))


@router.post(OF_TEAM + "/leave", status_code=204)
def leave_team(name: Text, who: SignedIn, session: Writing) -> None:
    """Leave a team. What it submitted stays with it; if it submitted while you were in it, you join no other there."""
    leading.leave(session, who, name)


@router.delete(OF_TEAM + "/members/{username}", status_code=204)
def remove_from_team(name: Text, username: Text, who: SignedIn, session: Writing) -> None:
    """Take a member out of a team that you lead."""
    leading.remove(session, who, name, username)


@router.post(OF_TEAM + "/captain", status_code=204)
def hand_over_team(name: Text, new: PersonIn, who: SignedIn, session: Writing) -> None:
    """Make another member the captain."""
    leading.hand_over(session, who, name, new.username)


@router.get(OF_TEAM + "/invitations")
def list_team_invitations(name: Text, who: SignedIn, session: Reading) -> Page[TeamInvitationOut]:
    """List the invitation links of your team that are valid, newest first, without codes. All are on one page."""
    team = leading.find_team(session, name)
    if not seats.is_member(session, who, team.id):
        raise seats.NotInTeam(f"You are not in team {name!r}.")
    return Page(items=[TeamInvitationOut.of(row) for row in joining.invitations_of(session, team)], next=None)


@router.post(OF_TEAM + "/invitations", status_code=201)
def make_team_invitation(
    name: Text, new: NewTeamInvitation, who: SignedIn, session: Writing, state: State
) -> TeamInvitationWithCode:
    """Make a link that lets people into a team that you lead, until it expires. The code is shown only once."""
    row, code = joining.make_invitation(session, who, name, state.key, uses=new.uses, days=new.expires_in_days)
    return TeamInvitationWithCode(**TeamInvitationOut.of(row).model_dump(), code=code, path=f"/join#{code}")


@router.post(OF_TEAM + "/invitations/{invitation_id}/revoke", status_code=204)
def revoke_team_invitation(name: Text, invitation_id: UUID, who: SignedIn, session: Writing) -> None:
    """Let an invitation link let nobody in any more."""
    joining.revoke(session, who, name, invitation_id)


@router.post("/joining/preview")
def preview_joining(body: JoinIn, who: SignedIn, request: Request, state: State, session: Reading) -> JoinPreview:
    """Show which team an invitation link lets you join, and what keeps you from it. It uses nothing up."""
    state.rates.code(address_of(request), str(who.account_id))
    row, team = joining.find_by_code(session, state.key, body.code)
    problem = _obstacle(session, who, team)
    return JoinPreview(
        team=listing.page_of(session, who, team, invited=True),
        expires_at=row.expires_at,
        obstacle=problem.message if problem else None,
        code=problem.code if problem else None,
    )


@router.post("/joining")
def join_team(body: JoinIn, who: SignedIn, request: Request, state: State, session: Writing) -> TeamPage:
    """Join a team with the code of an invitation link."""
    state.rates.code(address_of(request), str(who.account_id))
    return listing.page_of(session, who, joining.join_by_code(session, who, state.key, body.code))


@router.post(OF_TEAM + "/offers", status_code=201)
def offer_place(name: Text, to: PersonIn, who: SignedIn, session: Writing) -> OfferOut:
    """Offer somebody a place in a team that you lead. They accept or decline."""
    return listing.show_offers(session, who, [joining.offer_to(session, who, name, to.username)])[0]


@router.post(OF_TEAM + "/merge", status_code=201)
def offer_merge(name: Text, to: MergeIn, who: SignedIn, session: Writing) -> OfferOut:
    """Offer another team to become part of one that you lead. Its captain accepts or declines."""
    return listing.show_offers(session, who, [merging.offer_merge(session, who, name, to.team)])[0]


@router.post("/offers/{offer_id}/accept")
def accept_offer(offer_id: UUID, who: SignedIn, session: Writing) -> TeamPage:
    """Accept an offer: join the team, or let the team that you lead become part of it."""
    offer = joining.find_offer(session, who, offer_id)
    if offer.other_id is not None:
        return listing.page_of(session, who, merging.accept(session, who, offer))
    if offer.account_id != who.account_id:
        raise leading.NotCaptain("Only the person to whom it was made may accept this offer.")
    joining.join(session, who, offer.team)
    joining.end_offer(session, who, offer, OfferState.ACCEPTED)
    return listing.page_of(session, who, offer.team)


@router.post("/offers/{offer_id}/decline", status_code=204)
def decline_offer(offer_id: UUID, who: SignedIn, session: Writing) -> None:
    """Decline an offer, or withdraw one of a team that you lead."""
    merging.decline(session, who, joining.find_offer(session, who, offer_id))


def _obstacle(session: ReadSession, who: Principal, team: Team) -> LetheError | None:
    """Find what would keep the caller from joining."""
    try:
        competition = leading.competition_of(session, team)
        require_registered(session, who, competition)
        joining.require_free(session, who, competition, team)
    except LetheError as error:
        return error
    return None
