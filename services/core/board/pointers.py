"""Which score counts for which team, and moving the pointers to these scores.

A pointer is never changed, only retired, so a leaderboard can be read as of any date. Where pointers should point is a
function of what is stored: the phase's metric, the scores, the published campaigns, and what is off the board
(`off.py`). A scorer moves one team's, as does an exclusion; a campaign moves all of them at once; undoing it puts back
what the function gave before.

After a campaign that re-ran entries, only the re-run scores and later submissions compete. Otherwise the best of a
team's older scores would take the place of an entry whose new run is worse.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import undefer

from services.core.board.off import is_off, off_board
from services.core.board.order import Submitted, TimedRun, place_of, retraining_s
from services.core.board.standings import lock_board, next_moment
from services.core.models import (
    Campaign,
    CampaignState,
    Evaluation,
    LeaderboardEntry,
    Phase,
    Reference,
    ReRun,
    Score,
    State,
    Submission,
)
from services.core.store.database import ReadSession, WriteSession

__all__ = [
    "BestEntry",
    "Runs",
    "best_entries",
    "competing",
    "counting_score",
    "current",
    "publish",
    "repoint",
    "retraining_times",
    "runs_of",
]

Key = tuple[UUID, Reference]  # team


@dataclass(frozen=True, slots=True)
class BestEntry:
    """A team's entry: a submission, and the score that counts for it."""

    submission: Submission
    score: Score


@dataclass(frozen=True, slots=True)
class Runs:
    """Which run of each submission counts, and which submissions compete, after the campaigns that re-ran entries."""

    newest: dict[UUID, UUID] = field(default_factory=dict)  # by evaluation: its newest run that was measured
    again: frozenset[UUID] = frozenset()  # evaluations that the last campaign ran again
    since: datetime | None = None  # when that campaign began

    def compete(self, evaluation_id: UUID, first_scored_at: datetime) -> bool:
        """Whether an evaluation may compete: it was run again, or had no score when the others were."""
        return self.since is None or evaluation_id in self.again or first_scored_at > self.since


def runs_of(
    session: ReadSession,
    phase: Phase,
    *,
    upto: Campaign | None = None,
    without: Campaign | None = None,
    team_id: UUID | None = None,
) -> Runs:
    """Follow the published campaigns that re-ran entries, in order, and then one more; or all but one.

    A new run that failed, was cancelled or cannot be scored does not count: the previous run keeps counting. With a
    team, only its runs are read.
    """
    published = select(Campaign).where(
        Campaign.phase_id == phase.id, Campaign.re_run, Campaign.state == CampaignState.PUBLISHED
    )
    chain = [one for one in session.scalars(published.order_by(Campaign.published_at)) if one is not without]
    if upto is not None and upto.re_run and upto not in chain:
        chain.append(upto)
    newest: dict[UUID, UUID] = {}
    again: set[UUID] = set()
    for campaign in chain:
        statement = select(ReRun, Evaluation.state).join(Evaluation, Evaluation.id == ReRun.evaluation_id)
        statement = statement.where(ReRun.campaign_id == campaign.id)
        if team_id is not None:
            statement = statement.where(ReRun.replaced_id.in_(_evaluations_of(phase, team_id)))
        runs = session.execute(statement).all()
        newest |= {
            run.replaced_id: run.evaluation_id
            for run, state in runs
            if state is State.MEASURED and run.evaluation_id not in campaign.set_aside
        }
        again = {run.replaced_id for run, _ in runs}
    return Runs(newest, frozenset(again), chain[-1].created_at if chain else None)


def best_entries(
    session: ReadSession,
    phase: Phase,
    metric: str,
    runs: Runs,
    *,
    team_id: UUID | None = None,
    off: ColumnElement[bool] | None = None,
) -> dict[Key, BestEntry]:
    """Find the entry that each team should have by a metric, or that one team should have.

    A team is shown with its best submission that competes, the earlier of equals; a reference row with its newest.
    """
    found: dict[Key, BestEntry] = {}
    for stands in competing(session, phase, metric, runs, team_id=team_id, off=off):
        key = (stands.submission.team_id, stands.submission.reference)
        best = found.get(key)
        if best is None or _displaces(stands, best):
            found[key] = stands
    return found


def competing(
    session: ReadSession,
    phase: Phase,
    metric: str,
    runs: Runs,
    *,
    team_id: UUID | None = None,
    off: ColumnElement[bool] | None = None,
) -> Iterator[BestEntry]:
    """Yield each submission that competes by a metric with the score that counts for it, the earliest first.

    If a submission was run again, the new run counts, better or worse; the old one counts if the new one has no score.
    What is `off` does not compete; by default that is what is off the board now.
    """
    there = _of_phase(phase) if team_id is None else _of_team(phase, team_id, runs)
    by_metric = select(Score).options(undefer(Score.gaps)).where(Score.metric == metric, there)
    scores = {score.evaluation_id: score for score in session.scalars(by_metric)}
    first = select(Score.evaluation_id, func.min(Score.created_at)).where(there)
    scored_at = dict(session.execute(first.group_by(Score.evaluation_id)).all())
    submissions = select(Submission).where(Submission.phase_id == phase.id, ~(off_board() if off is None else off))
    if team_id is not None:
        submissions = submissions.where(Submission.team_id == team_id)
    for submission in session.scalars(submissions.order_by(Submission.created_at, Submission.id)):
        own = submission.evaluation_id
        score = scores.get(runs.newest.get(own, own)) or scores.get(own)
        if score is not None and own in scored_at and runs.compete(own, scored_at[own]):
            yield BestEntry(submission, score)


def current(
    session: ReadSession, phase: Phase, *, team_id: UUID | None = None, lock: bool = False
) -> dict[Key, LeaderboardEntry]:
    """Find the current pointers, or those of one team."""
    statement = select(LeaderboardEntry).where(
        LeaderboardEntry.phase_id == phase.id, LeaderboardEntry.retired_at.is_(None)
    )
    if team_id is not None:
        statement = statement.where(LeaderboardEntry.team_id == team_id)
    rows = session.scalars(statement.with_for_update() if lock else statement)
    return {(row.team_id, row.reference): row for row in rows}


def repoint(session: WriteSession, phase: Phase, *, team_ids: Collection[UUID | None] = (None,)) -> int:
    """Move all pointers of a phase, or those of some teams, to where they should point; return how many moved.

    All move at one moment. The phase must be locked.
    """
    wanted: dict[Key, BestEntry] = {}
    found: dict[Key, LeaderboardEntry] = {}
    for team_id in team_ids:
        runs = runs_of(session, phase, team_id=team_id)
        wanted |= best_entries(session, phase, phase.metric, runs, team_id=team_id)
        found |= current(session, phase, team_id=team_id, lock=True)
    moved = [
        key
        for key in wanted.keys() | found.keys()
        if key not in wanted or key not in found or found[key].score_id != wanted[key].score.id
    ]
    if not moved:
        return 0
    now = next_moment(session, phase)
    for key in moved:
        if key in found:
            found[key].retired_at = now
    session.flush()
    session.add_all(_entry(wanted[key], now) for key in moved if key in wanted)
    session.flush()
    return len(moved)


def publish(session: WriteSession, submission: Submission, score: Score) -> bool:
    """Point the submission's team at this score, unless it has a better one; return whether it moved.

    The order in which submissions are scored does not matter: the result is that of `best_entries`. A submission that
    was scored before the last campaign that re-ran entries, and not re-run by it, moves nothing; nor does one that is
    off the board.
    """
    phase = lock_board(session, submission.phase)
    session.refresh(submission, ["team_id"])  # its team may have merged while we waited
    if is_off(session, submission):
        return False
    if not _competes(session, runs_of(session, phase), submission.evaluation_id):
        return False
    standing_now = session.scalars(
        select(LeaderboardEntry)
        .where(
            LeaderboardEntry.phase_id == submission.phase_id,
            LeaderboardEntry.team_id == submission.team_id,
            LeaderboardEntry.reference == submission.reference,
            LeaderboardEntry.retired_at.is_(None),
        )
        .with_for_update()
    ).one_or_none()
    stands = BestEntry(submission, score)
    if standing_now is not None and not _displaces(stands, BestEntry(standing_now.submission, standing_now.score)):
        return False
    now = next_moment(session, phase)
    if standing_now is not None:
        standing_now.retired_at = now
        session.flush()
    session.add(_entry(stands, now))
    return True


def counting_score(session: ReadSession, phase: Phase, evaluation_id: UUID) -> Score | None:
    """Find the score by the phase's metric that counts for an evaluation: of its newest published run, or its own."""
    metric = session.scalar(select(Phase.metric).where(Phase.id == phase.id))
    scores = select(Score).where(Score.metric == metric)
    newest = runs_of(session, phase).newest.get(evaluation_id, evaluation_id)
    found = session.scalars(scores.where(Score.evaluation_id == newest)).one_or_none()
    return found or session.scalars(scores.where(Score.evaluation_id == evaluation_id)).one_or_none()


def retraining_times(session: ReadSession, phases: Collection[UUID]) -> dict[UUID, float | None]:
    """Return for each phase how long retraining takes by its current leaderboard; None if it has no reference."""
    entry = LeaderboardEntry
    statement = (
        select(entry.phase_id, entry.reference, Score.run_s)
        .join(Score, entry.score_id == Score.id)
        .where(entry.phase_id.in_(phases), entry.retired_at.is_(None), entry.reference != Reference.NONE)
    )
    found: dict[UUID, list[TimedRun]] = {phase: [] for phase in phases}
    for row in session.execute(statement):
        found[row.phase_id].append(TimedRun(row.reference, row.run_s))
    return {phase: retraining_s(runs) for phase, runs in found.items()}


def _competes(session: ReadSession, runs: Runs, evaluation_id: UUID) -> bool:
    if runs.since is None:
        return True
    first = session.scalar(select(func.min(Score.created_at)).where(Score.evaluation_id == evaluation_id))
    return first is not None and runs.compete(evaluation_id, first)


def _of_phase(phase: Phase) -> ColumnElement[bool]:
    return Score.evaluation_id.in_(select(Evaluation.id).where(Evaluation.phase_id == phase.id))


def _of_team(phase: Phase, team_id: UUID, runs: Runs) -> ColumnElement[bool]:
    again = Score.evaluation_id.in_(runs.newest.values())
    return or_(Score.evaluation_id.in_(_evaluations_of(phase, team_id)), again)


def _evaluations_of(phase: Phase, team_id: UUID) -> Select[UUID]:
    return select(Submission.evaluation_id).where(Submission.phase_id == phase.id, Submission.team_id == team_id)


def _displaces(one: BestEntry, other: BestEntry) -> bool:
    """Whether one submission takes another's place: a team's better one, then the earlier; the newer reference."""
    when, when_other = (Submitted(each.submission.created_at, each.submission.id) for each in (one, other))
    if one.submission.reference is not Reference.NONE:
        return when >= when_other  # the same one's newer score
    return place_of(one.score.final_score, when) < place_of(other.score.final_score, when_other)


def _entry(stands: BestEntry, now: datetime) -> LeaderboardEntry:
    submission, score = stands.submission, stands.score
    return LeaderboardEntry(
        phase_id=submission.phase_id,
        team_id=submission.team_id,
        submission_id=submission.id,
        score_id=score.id,
        reference=submission.reference,
        final_score=score.final_score,
        submitted_at=submission.created_at,
        published_at=now,
    )
