"""Endpoints for the people of a competition: members, registrations and invitations."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from services.api.competitions.finding import find_writable, owners_of
from services.api.kit.addresses import address_of
from services.api.kit.auth import Principal
from services.api.kit.finding import find_competition
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import Anyone, Organising, Owning, Reviewing, SignedIn, role_in
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading, Writing
from services.api.people import invitations, members, registering, rules
from services.api.people.listing import by_username, teams_by_account
from services.api.people.schemas import (
    Approval,
    InvitationOut,
    InvitationWithCode,
    MemberOut,
    NewInvitation,
    NewMember,
    NewOwner,
    OwnRegistrationOut,
    Refusal,
    RegistrationChange,
    RegistrationOut,
    RegistrationRequest,
)
from services.api.state import State
from services.core.models import Competition, CompetitionRole, Invitation, Registration, RegistrationState
from services.core.store.database import ReadSession

__all__ = ["router"]

router = APIRouter(tags=["people"])
PATH = "/competitions/{slug}"


@router.get(PATH + "/members")
def list_members(slug: Text, who: Reviewing, session: Reading) -> Page[MemberOut]:
    """List who owns, runs and reviews a competition. All are on one page."""
    competition = find_competition(session, slug, who)
    (name,) = owners_of(session, [competition])
    owner = MemberOut(username=name, role=CompetitionRole.OWNER, since=competition.created_at)
    return Page(items=[owner, *map(MemberOut.of, members.members_of(session, competition))], next=None)


@router.post(PATH + "/members", status_code=201)
def add_member(slug: Text, new: NewMember, who: Owning, session: Writing) -> MemberOut:
    """Make somebody an organiser or a reviewer, or change which of them they are."""
    return MemberOut.of(members.add(session, who, slug, new.username, new.role))


@router.delete(PATH + "/members/{username}", status_code=204)
def remove_member(slug: Text, username: Text, who: Owning, session: Writing) -> None:
    """Take the role of an organiser or a reviewer."""
    members.remove(session, who, slug, username)


@router.post(PATH + "/owner", status_code=204)
def hand_over(slug: Text, new: NewOwner, who: Owning, session: Writing) -> None:
    """Make somebody else the owner. The one before becomes an organiser."""
    members.hand_over(session, who, slug, new.username)


@router.post(PATH + "/leave", status_code=204)
def leave(slug: Text, who: Reviewing, session: Writing) -> None:
    """Give up your own role as an organiser or a reviewer."""
    members.leave(session, who, slug)


@router.get(PATH + "/registration")
def show_own_registration(slug: Text, who: Anyone, session: Reading) -> OwnRegistrationOut:
    """Show how people register for a competition, and how far you are."""
    return _own(session, who, find_competition(session, slug, who))


@router.post(PATH + "/registration")
def register(
    *, slug: Text, body: RegistrationRequest, who: SignedIn, request: Request, state: State, session: Writing
) -> OwnRegistrationOut:
    """Register for a competition, or accept a new version of its rules."""
    if body.code:
        state.rates.code(address_of(request), str(who.account_id))
    competition = find_writable(session, slug, who)
    registering.register(session, who, competition, state.key, rules=body.rules_version, code=body.code)
    return _own(session, who, competition)


@router.patch(PATH + "/registration")
def change_registration(
    slug: Text, change: RegistrationChange, who: Organising, session: Writing
) -> OwnRegistrationOut:
    """Change how people register. Whoever is registered stays so."""
    competition = find_writable(session, slug, who)
    registering.change_mode(session, who, competition, change.registration)
    return _own(session, who, competition)


@router.get(PATH + "/registrations")
def list_registrations(
    *,
    slug: Text,
    who: Reviewing,
    session: Reading,
    state: State,
    is_: Annotated[RegistrationState | None, Query(alias="state", description="Only those in this state.")] = None,
    search: Annotated[Text, Query(max_length=39, description="Only usernames that begin with this text.")] = "",
    limit: Limit = 50,
    after: After = None,
) -> Page[RegistrationOut]:
    """List who takes part or asked to, by username."""
    competition = find_competition(session, slug, who)
    rows, following = by_username(
        session,
        registering.registrations_to(competition, is_, search),
        cursors=state.cursors,
        listing=f"registrations:{competition.id}:{is_}:{search}",
        limit=limit,
        after=after,
    )
    return Page(items=_with_teams(session, rows), next=following)


@router.post(PATH + "/registrations/approve")
def approve(slug: Text, body: Approval, who: Organising, session: Writing) -> list[RegistrationOut]:
    """Let people take part: those who wait, or were refused. All of them, or none if a name is wrong."""
    competition = find_writable(session, slug, who)
    rows = registering.decide(session, who, competition, body.usernames, refusal=None)
    return _with_teams(session, rows)


@router.post(PATH + "/registrations/refuse")
def refuse(slug: Text, body: Refusal, who: Organising, session: Writing) -> list[RegistrationOut]:
    """Let people submit no more, for a reason that they see. What they submitted stays."""
    competition = find_writable(session, slug, who)
    rows = registering.decide(session, who, competition, body.usernames, refusal=body.reason)
    return _with_teams(session, rows)


@router.post(PATH + "/invitations", status_code=201)
def invite(slug: Text, new: NewInvitation, who: Organising, session: Writing, state: State) -> InvitationWithCode:
    """Make a code that admits people until it expires. The code is shown only once."""
    row, code = invitations.make(
        session,
        who,
        find_writable(session, slug, who),
        state.key,
        name=new.name,
        uses=new.uses,
        days=new.expires_in_days,
    )
    return InvitationWithCode(**InvitationOut.of(row).model_dump(), code=code)


@router.get(PATH + "/invitations")
def list_invitations(
    *, slug: Text, who: Reviewing, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[InvitationOut]:
    """List the invitations to a competition, newest first, without their codes."""
    competition = find_competition(session, slug, who)
    rows, following = newest_first(
        session,
        invitations.invitations_to(competition),
        Invitation,
        cursors=state.cursors,
        listing=f"invitations:{competition.id}",
        limit=limit,
        after=after,
    )
    return Page(items=[InvitationOut.of(row) for row in rows], next=following)


@router.post(PATH + "/invitations/{invitation_id}/revoke")
def revoke_invitation(slug: Text, invitation_id: UUID, who: Organising, session: Writing) -> InvitationOut:
    """Let an invitation admit nobody more."""
    return InvitationOut.of(invitations.revoke(session, who, find_writable(session, slug, who), invitation_id))


def _with_teams(session: ReadSession, rows: Sequence[Registration]) -> list[RegistrationOut]:
    """Make the JSON form of registrations for one competition."""
    found = teams_by_account(session, rows[0].competition_id, [row.account_id for row in rows]) if rows else {}
    return [RegistrationOut.of(row, found.get(row.account_id)) for row in rows]


def _own(session: ReadSession, who: Principal | None, competition: Competition) -> OwnRegistrationOut:
    found = registering.find_registration(session, who, competition) if who else None
    takes_part = found is not None and found.state is RegistrationState.ACCEPTED
    return OwnRegistrationOut(
        registration=competition.registration,
        rules=rules.rules_of(competition),
        rules_version=rules.version_of(competition),
        role=role_in(who, competition) or (CompetitionRole.PARTICIPANT if takes_part else None),
        state=found.state if found else None,
        reason=found.reason if found else None,
        accepted_version=found.rules_version if found else None,
        admitted=who is not None and registering.is_admitted(session, who, competition),
    )
