"""Rescorings, stored as campaigns: a phase's leaderboard by another metric, or from new runs of its entries.

Prepared while the old leaderboard is shown; published in one transaction that moves every pointer; undone by another.
Only the newest published campaign of a phase can be undone. Every act is an audit event. Callers check who may.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from services.core import happenings
from services.core.board import pointers
from services.core.board.off import entry_is_off, off_board
from services.core.errors import Conflict, NotFound
from services.core.models import (
    Act,
    Campaign,
    CampaignState,
    Evaluation,
    Phase,
    ReRun,
    Score,
    State,
    Submission,
    SubmissionKind,
)
from services.core.queue.lifecycle import ENDED, cancel, lock_evaluation, queue_evaluation
from services.core.record.acts import record
from services.core.retention.deleting import require_code
from services.core.store.database import ReadSession, WriteSession, utc_now

__all__ = [
    "CampaignOpen",
    "NotReady",
    "NothingToUndo",
    "Progress",
    "cancel_campaign",
    "failed_re_runs",
    "lock_campaign",
    "open_campaigns",
    "progress_of",
    "publish_campaign",
    "set_aside",
    "settle",
    "start",
    "take_back",
    "undo_campaign",
    "unscored",
]

OPEN = (CampaignState.PREPARING, CampaignState.READY)


class CampaignOpen(Conflict):
    code = "campaign_open"


class NotReady(Conflict):
    code = "campaign_not_ready"


class NothingToUndo(Conflict):
    code = "nothing_to_undo"


@dataclass(frozen=True, slots=True)
class Progress:
    """Evaluations that have a score by the campaign's metric, and those that will have."""

    done: int
    total: int


def start(session: WriteSession, phase: Phase, account_id: UUID, *, metric: str, re_run: bool) -> Campaign:
    """Begin to prepare a campaign. Raises CampaignOpen if the phase has one that is neither published nor cancelled.

    With `re_run` each submission that is on the leaderboard, or would be by the metric, is queued to run again, under a
    seed key of its own.
    """
    _lock_phase(session, phase)
    campaign = Campaign(
        phase_id=phase.id, metric=metric, metric_before=phase.metric, re_run=re_run, account_id=account_id
    )
    session.add(campaign)
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:
        raise CampaignOpen("A rescoring of this phase is already in progress. Publish or cancel it first.") from error
    if re_run:
        _queue_again(session, phase, campaign)
    _record(session, phase, account_id, Act.CAMPAIGN_STARTED, campaign)
    settle(session, campaign)
    return campaign


def settle(session: WriteSession, campaign: Campaign) -> bool:
    """Make a campaign ready if it waits for nothing more; return whether it is ready.

    A campaign that was cancelled after it was read here stays cancelled.
    """
    if campaign.state is CampaignState.PREPARING and not _waiting(session, campaign):
        still = and_(Campaign.id == campaign.id, Campaign.state == CampaignState.PREPARING)
        session.execute(update(Campaign).where(still).values(state=CampaignState.READY))
        session.refresh(campaign)
    return campaign.state is CampaignState.READY


def publish_campaign(session: WriteSession, campaign: Campaign, account_id: UUID) -> int:
    """Move every pointer of the phase, all or none; return how many moved. Raises NotReady."""
    phase = _lock_phase(session, campaign.phase)
    if not settle(session, campaign):
        raise NotReady(
            f"The rescoring is {campaign.state}. "
            + ("Wait until everything is scored." if campaign.state is CampaignState.PREPARING else "Start a new one.")
        )
    if _waiting(session, campaign):
        raise NotReady("New submissions are not scored yet. Wait until they are, then publish.")
    campaign.state, campaign.published_at = CampaignState.PUBLISHED, utc_now()
    campaign.inputs += 1  # its preview is computed once more, and then shows what publishing did
    campaign.metric_before = phase.metric
    phase.metric = campaign.metric
    session.flush()
    moved = pointers.repoint(session, phase)
    happenings.board_changed(session, phase)
    _record(session, phase, account_id, Act.CAMPAIGN_PUBLISHED, campaign, moved=moved)
    return moved


def undo_campaign(session: WriteSession, phase: Phase, account_id: UUID) -> tuple[Campaign, int]:
    """Take back the newest published campaign of a phase; return it and how many pointers moved.

    Raises NothingToUndo, and CampaignOpen while another one is in progress, because that was prepared on top of it.
    """
    phase = _lock_phase(session, phase)
    if session.scalar(select(Campaign.id).where(Campaign.phase_id == phase.id, Campaign.state.in_(OPEN))):
        raise CampaignOpen("Another rescoring of this phase is in progress. Cancel it first.")
    campaign = session.scalars(
        select(Campaign)
        .where(Campaign.phase_id == phase.id, Campaign.state == CampaignState.PUBLISHED)
        .order_by(Campaign.published_at.desc())
        .limit(1)
    ).one_or_none()
    if campaign is None:
        raise NothingToUndo(f"No rescoring of phase {phase.slug!r} is published.")
    campaign.state, campaign.undone_at = CampaignState.UNDONE, utc_now()
    phase.metric = campaign.metric_before
    session.flush()
    moved = pointers.repoint(session, phase)
    happenings.board_changed(session, phase)
    _record(session, phase, account_id, Act.CAMPAIGN_UNDONE, campaign, moved=moved)
    return campaign, moved


def cancel_campaign(session: WriteSession, campaign: Campaign, account_id: UUID) -> None:
    """Cancel a campaign that is not published, and its runs. Raises NotReady for one that has ended."""
    phase = _lock_phase(session, campaign.phase)
    if campaign.state not in OPEN:
        raise NotReady(f"The rescoring is {campaign.state}; there is nothing to cancel.")
    campaign.state = CampaignState.CANCELLED
    runs = select(ReRun.evaluation_id).where(ReRun.campaign_id == campaign.id).order_by(ReRun.evaluation_id)
    # All are locked before the first line, and in the order of `leases.sweep`.
    for evaluation in [lock_evaluation(session, evaluation_id) for evaluation_id in session.scalars(runs)]:
        if evaluation.state not in ENDED:
            cancel(session, evaluation)
    _record(session, phase, account_id, Act.CAMPAIGN_CANCELLED, campaign)


def set_aside(session: WriteSession, campaign_id: UUID, evaluation_id: UUID, reason: str) -> None:
    """Exclude an evaluation that cannot be scored from a campaign, and keep the reason."""
    campaign = session.get_one(Campaign, campaign_id, with_for_update=True, populate_existing=True)
    if campaign.state in OPEN:
        campaign.unscorable = campaign.unscorable | {evaluation_id: reason}
        campaign.inputs += 1


def take_back(session: WriteSession, evaluation: Evaluation, metrics: Collection[str]) -> None:
    """Include an evaluation in its phase's campaigns again, because it has a score by one of these metrics."""
    of_phase = and_(Campaign.phase_id == evaluation.phase_id, Campaign.state.in_(OPEN), Campaign.metric.in_(metrics))
    for campaign in session.scalars(select(Campaign).where(of_phase).with_for_update()):
        campaign.unscorable = {one: why for one, why in campaign.unscorable.items() if one != evaluation.id}
        campaign.inputs += 1


def lock_campaign(session: WriteSession, phase: Phase, campaign_id: UUID) -> Campaign:
    """Find a campaign of a phase and lock both, the phase first. Raises NotFound."""
    _lock_phase(session, phase)
    statement = select(Campaign).where(Campaign.id == campaign_id, Campaign.phase_id == phase.id).with_for_update()
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound(f"Phase {phase.slug!r} has no rescoring {campaign_id}.")
    return found


def open_campaigns(session: ReadSession) -> Sequence[Campaign]:
    """List the campaigns that are in preparation or wait to be published, oldest first."""
    statement = select(Campaign).where(Campaign.state.in_(OPEN)).order_by(Campaign.created_at)
    return session.scalars(statement).all()


def unscored(session: ReadSession, campaign: Campaign) -> list[UUID]:
    """List the measured evaluations that a campaign needs a score of, and that have none by its metric."""
    score = aliased(Score)
    return list(
        session.scalars(
            select(Evaluation.id)
            .outerjoin(score, and_(score.evaluation_id == Evaluation.id, score.metric == campaign.metric))
            .where(_counts(campaign), Evaluation.state == State.MEASURED, score.id.is_(None))
            .order_by(Evaluation.finished_at, Evaluation.id)
        )
    )


def progress_of(session: ReadSession, campaign: Campaign) -> Progress:
    """Count the evaluations that are scored, and those that will be."""
    wanted = and_(_counts(campaign), Evaluation.state.not_in([State.FAILED, State.CANCELLED]))
    total = session.scalar(select(func.count()).select_from(Evaluation).where(wanted)) or 0
    done = select(func.count()).select_from(Evaluation).join(Score, Score.evaluation_id == Evaluation.id)
    return Progress(session.scalar(done.where(wanted, Score.metric == campaign.metric)) or 0, total)


def failed_re_runs(session: ReadSession, campaign: Campaign) -> set[UUID]:
    """List the evaluations whose new run does not count: they keep their previous score."""
    lost = or_(Evaluation.state.in_([State.FAILED, State.CANCELLED]), Evaluation.id.in_(campaign.set_aside))
    statement = (
        select(ReRun.replaced_id)
        .join(Evaluation, Evaluation.id == ReRun.evaluation_id)
        .where(ReRun.campaign_id == campaign.id, lost)
    )
    return set(session.scalars(statement))


def _waiting(session: ReadSession, campaign: Campaign) -> bool:
    """Return whether a score is missing, or a new run has not ended."""
    if unscored(session, campaign):
        return True
    runs = (
        select(ReRun.evaluation_id)
        .join(Evaluation, Evaluation.id == ReRun.evaluation_id)
        .where(ReRun.campaign_id == campaign.id, Evaluation.state.not_in(ENDED))
        .limit(1)
    )
    return session.scalar(runs) is not None


def _counts(campaign: Campaign) -> ColumnElement[bool]:
    """Select the phase's submitted evaluations and the runs of this campaign and of published ones.

    Dry runs and evaluations that were set aside are left out.
    """
    submitted = select(Submission.evaluation_id).where(Submission.phase_id == campaign.phase_id)
    published = select(Campaign.id).where(
        Campaign.phase_id == campaign.phase_id, Campaign.state == CampaignState.PUBLISHED
    )
    again = select(ReRun.evaluation_id).where(or_(ReRun.campaign_id == campaign.id, ReRun.campaign_id.in_(published)))
    return and_(
        Evaluation.phase_id == campaign.phase_id,
        Evaluation.dry_run.is_(False),
        Evaluation.id.not_in(campaign.set_aside),
        or_(Evaluation.id.in_(submitted), Evaluation.id.in_(again)),
    )


def _queue_again(session: WriteSession, phase: Phase, campaign: Campaign) -> None:
    """Queue all entries, and those that the campaign's metric would choose: otherwise these could not compete.

    Also those that would stand if nothing was off the board: if they come back, a new run counts for them, too.
    """
    wanted = {entry.submission_id for entry in pointers.current(session, phase).values()}
    runs = pointers.runs_of(session, phase)
    for metric in {phase.metric, campaign.metric}:
        for off in (off_board(), entry_is_off(), false()):
            best = pointers.best_entries(session, phase, metric, runs, off=off)
            wanted |= {stands.submission.id for stands in best.values()}
    queued: set[UUID] = set()
    for submission in session.scalars(select(Submission).where(Submission.id.in_(wanted)).order_by(Submission.id)):
        if submission.evaluation_id in queued:
            continue
        require_code(submission)
        queued.add(submission.evaluation_id)
        notebook = submission.kind is SubmissionKind.NOTEBOOK
        again = queue_evaluation(session, phase, submission.blob, notebook=notebook)
        session.add(ReRun(campaign_id=campaign.id, replaced_id=submission.evaluation_id, evaluation_id=again.id))
    session.flush()


def _lock_phase(session: WriteSession, phase: Phase) -> Phase:
    """Lock a phase, so that scorers and uploads move none of its pointers until the transaction ends."""
    statement = select(Phase).where(Phase.id == phase.id).with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one()


def _record(
    session: WriteSession, phase: Phase, account_id: UUID, act: Act, campaign: Campaign, **details: object
) -> None:
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
