"""Rescorings, stored as campaigns: a phase's leaderboard by another metric, or from new runs of its entries.

Prepared while the old leaderboard is shown; published in one transaction that moves every pointer; undone by another.
Only the newest published campaign of a phase can be undone. Every act is an audit event. Callers check who may.

What an organiser asks for is one row here, however large the contest: `rescoring.py` counts, queues and moves, and the
scorer calls it.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.exc import IntegrityError

from services.core.board.standings import lock_board
from services.core.errors import Conflict, NotFound
from services.core.models import Act, Campaign, CampaignState, Evaluation, Phase, Submission
from services.core.record.acts import record
from services.core.retention.deleting import require_code
from services.core.store.database import ReadSession, WriteSession

__all__ = [
    "CampaignOpen",
    "NotReady",
    "NothingToUndo",
    "cancel_campaign",
    "lock_campaign",
    "open_campaigns",
    "publish_campaign",
    "record_act",
    "set_aside",
    "start",
    "take_back",
    "undo_campaign",
]

REMEDIES = {
    CampaignState.PREPARING: "Wait until everything is scored.",
    CampaignState.PUBLISHING: "Its entries move within seconds, once all submissions that were measured are scored.",
}


class CampaignOpen(Conflict):
    code = "campaign_open"


class NotReady(Conflict):
    code = "campaign_not_ready"


class NothingToUndo(Conflict):
    code = "nothing_to_undo"


def start(session: WriteSession, phase: Phase, account_id: UUID, *, metric: str, re_run: bool) -> Campaign:
    """Begin to prepare a campaign. Raises CampaignOpen if the phase has one under way.

    With `re_run` each submission that is on the leaderboard, or would be by the metric, will be queued to run again,
    under a seed key of its own.
    """
    lock_board(session, phase)
    if re_run:
        _require_code(session, phase)
    campaign = Campaign(
        phase_id=phase.id,
        metric=metric,
        metric_before=phase.metric,
        re_run=re_run,
        runs_due=re_run,
        account_id=account_id,
    )
    session.add(campaign)
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:
        raise CampaignOpen("A rescoring of this phase is already in progress. Publish or cancel it first.") from error
    record_act(session, phase, account_id, Act.CAMPAIGN_STARTED, campaign)
    return campaign


def publish_campaign(session: WriteSession, campaign: Campaign, account_id: UUID) -> None:
    """Have the scorer move every pointer of the phase at once. Raises NotReady.

    It waits for submissions that were measured and are not scored yet; until then the campaign can be cancelled.
    """
    if campaign.state is not CampaignState.READY:
        raise NotReady(f"The rescoring is {campaign.state}. {REMEDIES.get(campaign.state, 'Start a new one.')}")
    campaign.state, campaign.acted_by = CampaignState.PUBLISHING, account_id
    session.flush()


def undo_campaign(session: WriteSession, phase: Phase, account_id: UUID) -> Campaign:
    """Have the scorer take back the newest published campaign of a phase.

    Raises NothingToUndo, and CampaignOpen while another one is in progress, because that was prepared on top of it.
    """
    phase = lock_board(session, phase)
    of_phase = select(Campaign).where(Campaign.phase_id == phase.id)
    under_way = session.scalars(of_phase.where(Campaign.state.in_(CampaignState.under_way()))).one_or_none()
    if under_way is not None:
        undoing = under_way.state is CampaignState.UNDOING
        remedy = "Wait until it is undone." if undoing else "Cancel it first."
        raise CampaignOpen(f"Another rescoring of this phase is in progress. {remedy}")
    newest = of_phase.where(Campaign.state == CampaignState.PUBLISHED).order_by(Campaign.published_at.desc()).limit(1)
    campaign = session.scalars(newest).one_or_none()
    if campaign is None:
        raise NothingToUndo(f"No rescoring of phase {phase.slug!r} is published.")
    campaign.state, campaign.acted_by = CampaignState.UNDOING, account_id
    session.flush()
    return campaign


def cancel_campaign(session: WriteSession, campaign: Campaign, account_id: UUID) -> None:
    """Cancel a campaign that is not published; the scorer ends its runs. Raises NotReady for one that has ended."""
    if campaign.state not in CampaignState.open():
        raise NotReady(f"The rescoring is {campaign.state}; there is nothing to cancel.")
    campaign.state, campaign.runs_due = CampaignState.CANCELLED, campaign.re_run
    record_act(session, campaign.phase, account_id, Act.CAMPAIGN_CANCELLED, campaign)


def set_aside(session: WriteSession, campaign_id: UUID, evaluation_id: UUID, reason: str) -> None:
    """Exclude an evaluation that cannot be scored from a campaign, and keep the reason."""
    campaign = session.get_one(Campaign, campaign_id, with_for_update=True, populate_existing=True)
    if campaign.state in CampaignState.open():
        campaign.unscorable = campaign.unscorable | {evaluation_id: reason}
        campaign.inputs += 1


def take_back(session: WriteSession, evaluation: Evaluation, metrics: Collection[str]) -> None:
    """Include an evaluation in its phase's campaigns again, because it has a score by one of these metrics."""
    of_phase = and_(
        Campaign.phase_id == evaluation.phase_id, Campaign.state.in_(CampaignState.open()), Campaign.metric.in_(metrics)
    )
    for campaign in session.scalars(select(Campaign).where(of_phase).with_for_update()):
        campaign.unscorable = {one: why for one, why in campaign.unscorable.items() if one != evaluation.id}
        campaign.inputs += 1


def lock_campaign(session: WriteSession, phase: Phase, campaign_id: UUID) -> Campaign:
    """Find a campaign of a phase and lock both, the phase first. Raises NotFound."""
    lock_board(session, phase)
    statement = select(Campaign).where(Campaign.id == campaign_id, Campaign.phase_id == phase.id).with_for_update()
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound(f"Phase {phase.slug!r} has no rescoring {campaign_id}.")
    return found


def open_campaigns(session: ReadSession) -> Sequence[Campaign]:
    """List the campaigns that are in preparation or wait to be published, oldest first."""
    statement = select(Campaign).where(Campaign.state.in_(CampaignState.open())).order_by(Campaign.created_at)
    return session.scalars(statement).all()


def _require_code(session: ReadSession, phase: Phase) -> None:
    """Raise CodeDeleted if the code of a phase's submissions is not all kept any more."""
    deleted = select(Submission).where(Submission.phase_id == phase.id, Submission.code_deleted_at.is_not(None))
    for submission in session.scalars(deleted.limit(1)):
        require_code(submission)


def record_act(
    session: WriteSession, phase: Phase, account_id: UUID, act: Act, campaign: Campaign, **details: object
) -> None:
    """Put an act on a campaign on record."""
    record(
        session,
        act,
        competition_id=phase.competition_id,
        account_id=account_id,
        details={
            "campaign": str(campaign.id),
            "phase": phase.slug,
            "metric": campaign.metric,
            "metric_before": campaign.metric_before,
            "re_run": campaign.re_run,
            **details,
        },
    )
