"""What the scorer does for rescorings: it counts their scores, queues and ends their runs, and moves the pointers.

All that grows with the contest happens here and not in the request of the organiser who asked for it. Runs are queued
and ended a portion in each transaction; all pointers of a phase move in one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, update
from sqlalchemy.orm import aliased

from services.core import happenings
from services.core.board import counting, pointers
from services.core.board.campaigns import record_act
from services.core.board.off import entry_is_off, off_board
from services.core.board.standings import lock_board, stands_at
from services.core.models import (
    Act,
    Campaign,
    CampaignState,
    Evaluation,
    LeaderboardEntry,
    Phase,
    ReRun,
    Score,
    State,
    Submission,
    SubmissionKind,
)
from services.core.queue.lifecycle import ENDED, cancel, lock_evaluation, queue_evaluation
from services.core.retention.deleting import require_code
from services.core.store.database import ReadSession, WriteSession, utc_now

__all__ = [
    "Progress",
    "carry_out",
    "count",
    "due",
    "end_runs",
    "failed_re_runs",
    "is_waiting",
    "progress_of",
    "queue_runs",
    "settle",
    "to_run_again",
    "unscored",
]


@dataclass(frozen=True, slots=True)
class Progress:
    """Evaluations that have a score by the campaign's metric, and those that will have."""

    done: int
    total: int


def due(session: ReadSession) -> Sequence[Campaign]:
    """List the campaigns of which something is to be done, oldest first."""
    under_way = Campaign.state.in_(CampaignState.under_way())
    return session.scalars(
        select(Campaign).where(or_(under_way, Campaign.runs_due)).order_by(Campaign.created_at)
    ).all()


def settle(session: WriteSession, campaign: Campaign) -> bool:
    """Make a campaign ready if it waits for nothing more, with what it has done by then; return whether it is ready.

    A campaign that was cancelled after it was read here stays cancelled.
    """
    if campaign.state is CampaignState.PREPARING and not is_waiting(session, campaign):
        still = and_(Campaign.id == campaign.id, Campaign.state == CampaignState.PREPARING)
        made = progress_of(session, campaign)
        session.execute(
            update(Campaign).where(still).values(state=CampaignState.READY, done=made.done, total=made.total)
        )
        session.refresh(campaign)
    return campaign.state is CampaignState.READY


def count(session: WriteSession, campaign_id: UUID, before: Progress, progress: Progress) -> None:
    """Keep the progress of a campaign, for those who look at it, unless somebody has kept a newer one meanwhile."""
    same = and_(Campaign.id == campaign_id, Campaign.done == before.done, Campaign.total == before.total)
    session.execute(update(Campaign).where(same).values(done=progress.done, total=progress.total))


def carry_out(session: WriteSession, campaign_id: UUID) -> int | None:
    """Publish or undo a campaign as an organiser asked: move every pointer of its phase, all or none.

    Return how many moved; None if a score is still missing, or if nobody asks for it any more.
    """
    phase = lock_board(session, session.get_one(Campaign, campaign_id).phase)
    campaign = session.get_one(Campaign, campaign_id, with_for_update=True, populate_existing=True)
    if campaign.state is CampaignState.UNDOING:
        campaign.state, campaign.undone_at = CampaignState.UNDONE, utc_now()
        _score_by(session, phase, campaign.metric_before)
        return _move_all(session, campaign, phase, Act.CAMPAIGN_UNDONE)
    if campaign.state is not CampaignState.PUBLISHING or is_waiting(session, campaign):
        return None
    made = progress_of(session, campaign)
    campaign.done, campaign.total = made.done, made.total
    campaign.state, campaign.published_at = CampaignState.PUBLISHED, utc_now()
    campaign.inputs += 1  # its preview is computed once more, and then shows what publishing did
    campaign.metric_before = phase.metric
    _score_by(session, phase, campaign.metric)
    return _move_all(session, campaign, phase, Act.CAMPAIGN_PUBLISHED)


def _score_by(session: WriteSession, phase: Phase, metric: str) -> None:
    """Give a phase another metric. What has no score by it waits for one again."""
    phase.metric = metric
    session.flush()
    lacks = and_(
        Evaluation.phase_id == phase.id, Evaluation.state == State.MEASURED, ~Evaluation.dry_run, ~Evaluation.is_scored
    )
    marked = update(Evaluation).where(lacks).values(may_lack_score=True)
    session.execute(marked.execution_options(synchronize_session=False))


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


def to_run_again(session: ReadSession, campaign: Campaign) -> list[UUID]:
    """List the submissions that a campaign runs again: all that stand, or would by its metric.

    Otherwise those that its metric would choose could not compete. Also those that would stand if nothing was off the
    board: if they come back, a new run counts for them, too.
    """
    phase = campaign.phase
    stood = select(LeaderboardEntry.submission_id).where(
        LeaderboardEntry.phase_id == phase.id,
        or_(LeaderboardEntry.retired_at.is_(None), stands_at(campaign.created_at)),
    )
    wanted = set(session.scalars(stood))
    runs = counting.runs_of(session, phase)
    for metric in {phase.metric, campaign.metric}:
        for off in (off_board(), entry_is_off(), false()):
            best = counting.best_entries(session, phase, metric, runs, off=off)
            wanted |= {stands.submission.id for stands in best.values()}
    return sorted(wanted)


def queue_runs(session: WriteSession, campaign_id: UUID, submission_ids: Sequence[UUID], *, last: bool) -> bool:
    """Queue some submissions of a campaign to run again, and perhaps say that these are the last.

    What is queued already is left out. Return False if the campaign wants no more runs.
    """
    phase = lock_board(session, session.get_one(Campaign, campaign_id).phase)
    campaign = session.get_one(Campaign, campaign_id, with_for_update=True, populate_existing=True)
    if campaign.state is not CampaignState.PREPARING or not campaign.runs_due:
        return False
    own = select(ReRun.replaced_id).where(ReRun.campaign_id == campaign.id)
    queued = set(session.scalars(own.where(ReRun.replaced_id.in_(_evaluations_of(submission_ids)))))
    wanted = select(Submission).where(Submission.id.in_(submission_ids)).order_by(Submission.id)
    for submission in session.scalars(wanted):
        if submission.evaluation_id not in queued:
            queued.add(submission.evaluation_id)
            _queue_again(session, phase, campaign, submission)
    campaign.runs_due = not last
    session.flush()
    return True


def end_runs(session: WriteSession, campaign_id: UUID, limit: int) -> bool:
    """Cancel some runs of a cancelled campaign; return whether there are more."""
    runs = (
        select(ReRun.evaluation_id)
        .join(Evaluation, Evaluation.id == ReRun.evaluation_id)
        .where(ReRun.campaign_id == campaign_id, Evaluation.state.not_in(ENDED))
        .order_by(ReRun.evaluation_id)
        .limit(limit)
    )
    # All are locked before the first line, and in the order of `leases.sweep`.
    found = [lock_evaluation(session, evaluation_id) for evaluation_id in session.scalars(runs).all()]
    for evaluation in found:
        if evaluation.state not in ENDED:
            cancel(session, evaluation)
    session.get_one(Campaign, campaign_id).runs_due = len(found) == limit
    return len(found) == limit


def _queue_again(session: WriteSession, phase: Phase, campaign: Campaign, submission: Submission) -> None:
    require_code(submission)
    notebook = submission.kind is SubmissionKind.NOTEBOOK
    again = queue_evaluation(session, phase, submission.blob, notebook=notebook)
    session.add(ReRun(campaign_id=campaign.id, replaced_id=submission.evaluation_id, evaluation_id=again.id))


def _evaluations_of(submission_ids: Sequence[UUID]) -> Select[UUID]:
    return select(Submission.evaluation_id).where(Submission.id.in_(submission_ids))


def _move_all(session: WriteSession, campaign: Campaign, phase: Phase, act: Act) -> int:
    session.flush()
    moved = pointers.repoint(session, phase)
    happenings.board_changed(session, phase)
    assert campaign.acted_by is not None
    record_act(session, phase, campaign.acted_by, act, campaign, moved=moved)
    return moved


def is_waiting(session: ReadSession, campaign: Campaign) -> bool:
    """Return whether a score is missing, or a new run has not ended."""
    if campaign.runs_due or unscored(session, campaign):
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
        Campaign.phase_id == campaign.phase_id, Campaign.state.in_(CampaignState.in_force())
    )
    again = select(ReRun.evaluation_id).where(or_(ReRun.campaign_id == campaign.id, ReRun.campaign_id.in_(published)))
    return and_(
        Evaluation.phase_id == campaign.phase_id,
        Evaluation.dry_run.is_(False),
        Evaluation.id.not_in(campaign.set_aside),
        or_(Evaluation.id.in_(submitted), Evaluation.id.in_(again)),
    )
