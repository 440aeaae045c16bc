"""Rescoring a phase: prepare, preview, publish, undo. Open to its organiser and operators; every act is recorded."""

from uuid import UUID

from fastapi import APIRouter, BackgroundTasks
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from services.api.campaigns.preview import moves_of, unscorable_in
from services.api.campaigns.schemas import (
    CampaignDetail,
    CampaignOut,
    MoveOut,
    NewCampaign,
    PreviewOut,
)
from services.api.competitions.finding import find_phase
from services.api.competitions.rights import require_writable
from services.api.kit.auth import Principal
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import Organising, Reviewing
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading, Writing
from services.api.state import State
from services.core.board import campaigns
from services.core.errors import NotFound
from services.core.models import Campaign, Phase
from services.core.queue.doorbell import Bell
from services.core.store.database import ReadSession

__all__ = ["router"]

router = APIRouter(tags=["campaigns"])
PATH = "/competitions/{slug}/phases/{phase}/campaigns"


@router.post(PATH, status_code=201)
def start_campaign(
    *,
    slug: Text,
    phase: Text,
    new: NewCampaign,
    who: Organising,
    session: Writing,
    state: State,
    background: BackgroundTasks,
) -> CampaignOut:
    """Begin to rescore a phase by a metric, or to re-run its entries. Nothing moves until you publish it."""
    row = _phase_to_change(session, slug, phase, who)
    campaign = campaigns.start(session, row, who.account_id, metric=new.metric, re_run=new.re_run)
    background.add_task(state.doorbell.ring_across, Bell.SCORE)
    return CampaignOut.of(campaign)


@router.get(PATH)
def list_campaigns(
    *, slug: Text, phase: Text, who: Reviewing, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[CampaignOut]:
    """List a phase's rescorings, newest first."""
    row = find_phase(session, slug, phase, who=who)
    rows, following = newest_first(
        session,
        select(Campaign).options(joinedload(Campaign.phase)).where(Campaign.phase_id == row.id),
        Campaign,
        cursors=state.cursors,
        listing=f"campaigns:{row.id}",
        limit=limit,
        after=after,
    )
    return Page(items=[CampaignOut.of(one) for one in rows], next=following)


@router.get(PATH + "/{campaign_id}")
def show_campaign(*, slug: Text, phase: Text, campaign_id: UUID, who: Reviewing, session: Reading) -> CampaignDetail:
    """Show a rescoring and what it does to the leaderboard in all."""
    campaign = _campaign(session, find_phase(session, slug, phase, who=who), campaign_id)
    shown = CampaignOut.of(campaign).model_dump()
    preview = campaign.preview and PreviewOut.model_validate(campaign.preview)
    return CampaignDetail(**shown, preview=preview, unscorable=unscorable_in(session, campaign))


@router.get(PATH + "/{campaign_id}/moves")
def list_moves(
    *,
    slug: Text,
    phase: Text,
    campaign_id: UUID,
    who: Reviewing,
    session: Reading,
    state: State,
    limit: Limit = 50,
    after: After = None,
) -> Page[MoveOut]:
    """List how a rescoring moves each team: first beyond noise, then within it, then what stays."""
    listing = f"moves:{campaign_id}"
    last = int(str(state.cursors.decode(listing, after)[0])) if after else 0
    campaign = _campaign(session, find_phase(session, slug, phase, who=who), campaign_id)
    entries = campaign.preview.entries if campaign.preview else 0
    items = moves_of(session, campaign, after=last, limit=limit)
    following = state.cursors.encode(listing, [last + limit]) if last + limit < entries else None
    return Page(items=items, next=following)


@router.post(PATH + "/{campaign_id}/publish")
def publish_campaign(*, slug: Text, phase: Text, campaign_id: UUID, who: Organising, session: Writing) -> CampaignOut:
    """Publish a rescoring: seconds later every entry of the leaderboard moves at once."""
    campaign = campaigns.lock_campaign(session, _phase_to_change(session, slug, phase, who), campaign_id)
    campaigns.publish_campaign(session, campaign, who.account_id)
    return CampaignOut.of(campaign)


@router.post(PATH + "/{campaign_id}/cancel")
def cancel_campaign(*, slug: Text, phase: Text, campaign_id: UUID, who: Organising, session: Writing) -> CampaignOut:
    """Discard a rescoring that is not published, and end its runs."""
    campaign = campaigns.lock_campaign(session, _phase_to_change(session, slug, phase, who), campaign_id)
    campaigns.cancel_campaign(session, campaign, who.account_id)
    return CampaignOut.of(campaign)


@router.post("/competitions/{slug}/phases/{phase}/undo")
def undo_campaign(*, slug: Text, phase: Text, who: Organising, session: Writing) -> CampaignOut:
    """Take back the phase's newest published rescoring: seconds later every entry is back to where it was."""
    campaign = campaigns.undo_campaign(session, _phase_to_change(session, slug, phase, who), who.account_id)
    return CampaignOut.of(campaign)


def _phase_to_change(session: ReadSession, slug: str, phase: str, who: Principal) -> Phase:
    row = find_phase(session, slug, phase, who=who)
    require_writable(row.competition)
    return row


def _campaign(session: ReadSession, phase: Phase, campaign_id: UUID) -> Campaign:
    campaign = session.get(Campaign, campaign_id)
    if campaign is None or campaign.phase_id != phase.id:
        raise NotFound(f"Phase {phase.slug!r} has no rescoring {campaign_id}.")
    return campaign
