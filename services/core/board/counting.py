"""Which score counts for which team: a function of what is stored.

It follows from the phase's metric, the scores, the published campaigns, and what is off the board (`off.py`).
`pointers.py` moves the pointers to where this room says.

After a campaign that re-ran entries, only the re-run scores and later submissions compete. Otherwise the best of a
team's older scores would take the place of an entry whose new run is worse.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeVar, TypeVarTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import undefer

from services.core.board.off import off_board
from services.core.board.order import Submitted, place_of
from services.core.models import (
    Campaign,
    CampaignState,
    Evaluation,
    Phase,
    Reference,
    ReRun,
    Score,
    State,
    Submission,
)
from services.core.store.database import ReadSession

__all__ = [
    "BestEntry",
    "CountingRuns",
    "Key",
    "Pointer",
    "best_entries",
    "competes",
    "competing",
    "counting_score",
    "displaces",
    "runs_of",
    "wanted",
]

Key = tuple[UUID, Reference]  # team
Columns = TypeVarTuple("Columns")
Scored = TypeVar("Scored")


class Pointer(NamedTuple):
    """What a pointer is made of: a submission of a team, and the score that counts for it."""

    team_id: UUID
    reference: Reference
    submission_id: UUID
    submitted_at: datetime
    score_id: UUID
    final_score: float

    @property
    def key(self) -> Key:
        """Return whose place it takes."""
        return self.team_id, self.reference


@dataclass(frozen=True, slots=True)
class BestEntry:
    """A team's entry: a submission, and the score that counts for it."""

    submission: Submission
    score: Score

    @property
    def pointer(self) -> Pointer:
        """Return what its pointer is made of."""
        one, score = self.submission, self.score
        return Pointer(one.team_id, one.reference, one.id, one.created_at, score.id, score.final_score)


@dataclass(frozen=True, slots=True)
class CountingRuns:
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
    evaluation_id: UUID | None = None,
) -> CountingRuns:
    """Follow the published campaigns that re-ran entries, in order, and then one more; or all but one.

    A new run that failed, was cancelled or cannot be scored does not count: the previous run keeps counting. With a
    team or an evaluation, only its runs are read.
    """
    published = select(Campaign).where(
        Campaign.phase_id == phase.id, Campaign.re_run, Campaign.state.in_(CampaignState.in_force())
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
        if evaluation_id is not None:
            statement = statement.where(ReRun.replaced_id == evaluation_id)
        runs = session.execute(statement).all()
        newest |= {
            run.replaced_id: run.evaluation_id
            for run, state in runs
            if state is State.MEASURED and run.evaluation_id not in campaign.set_aside
        }
        again = {run.replaced_id for run, _ in runs}
    return CountingRuns(newest, frozenset(again), chain[-1].created_at if chain else None)


def best_entries(
    session: ReadSession,
    phase: Phase,
    metric: str,
    runs: CountingRuns,
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
        if best is None or displaces(stands.pointer, best.pointer):
            found[key] = stands
    return found


def competing(
    session: ReadSession,
    phase: Phase,
    metric: str,
    runs: CountingRuns,
    *,
    team_id: UUID | None = None,
    off: ColumnElement[bool] | None = None,
) -> Iterator[BestEntry]:
    """Yield each submission that competes by a metric with the score that counts for it, the earliest first.

    If a submission was run again, the new run counts, better or worse; the old one counts if the new one has no score.
    What is `off` does not compete; by default that is what is off the board now.
    """
    there = _scores_of(phase, team_id, runs)
    by_metric = select(Score).options(undefer(Score.gaps)).where(Score.metric == metric, there)
    scores = {score.evaluation_id: score for score in session.scalars(by_metric)}
    scored_at = _first_scored(session, there, runs)
    for submission in session.scalars(_in_order(select(Submission), phase, team_id, off)):
        score = _counting(submission.evaluation_id, scores, scored_at, runs)
        if score is not None:
            yield BestEntry(submission, score)


def wanted(session: ReadSession, phase: Phase, *, team_id: UUID | None = None) -> dict[Key, Pointer]:
    """Find where the pointers of a phase should point, or those of one team: `best_entries`, in columns alone."""
    runs = runs_of(session, phase, team_id=team_id)
    there = _scores_of(phase, team_id, runs)
    by_metric = select(Score.evaluation_id, Score.id, Score.final_score).where(Score.metric == phase.metric, there)
    scores = {row.evaluation_id: row for row in session.execute(by_metric)}
    scored_at = _first_scored(session, there, runs)
    columns = (Submission.team_id, Submission.reference, Submission.id, Submission.created_at, Submission.evaluation_id)
    found: dict[Key, Pointer] = {}
    for row in session.execute(_in_order(select(*columns), phase, team_id, None)):
        score = _counting(row.evaluation_id, scores, scored_at, runs)
        if score is not None:
            one = Pointer(row.team_id, row.reference, row.id, row.created_at, score.id, score.final_score)
            best = found.get(one.key)
            if best is None or displaces(one, best):
                found[one.key] = one
    return found


def counting_score(session: ReadSession, phase: Phase, evaluation_id: UUID) -> Score | None:
    """Find the score by the phase's metric that counts for an evaluation: of its newest published run, or its own."""
    metric = session.scalar(select(Phase.metric).where(Phase.id == phase.id))
    scores = select(Score).where(Score.metric == metric)
    newest = runs_of(session, phase, evaluation_id=evaluation_id).newest.get(evaluation_id, evaluation_id)
    found = session.scalars(scores.where(Score.evaluation_id == newest)).one_or_none()
    return found or session.scalars(scores.where(Score.evaluation_id == evaluation_id)).one_or_none()


def competes(session: ReadSession, runs: CountingRuns, evaluation_id: UUID) -> bool:
    """Tell whether an evaluation may compete."""
    if runs.since is None:
        return True
    first = session.scalar(select(func.min(Score.created_at)).where(Score.evaluation_id == evaluation_id))
    return first is not None and runs.compete(evaluation_id, first)


def _scores_of(phase: Phase, team_id: UUID | None, runs: CountingRuns) -> ColumnElement[bool]:
    """Select the scores that may count for the submissions of a phase, or for those of one team."""
    if team_id is None:
        return Score.evaluation_id.in_(select(Evaluation.id).where(Evaluation.phase_id == phase.id))
    again = Score.evaluation_id.in_(runs.newest.values())
    return or_(Score.evaluation_id.in_(_evaluations_of(phase, team_id)), again)


def _first_scored(session: ReadSession, there: ColumnElement[bool], runs: CountingRuns) -> dict[UUID, datetime]:
    """Find when evaluations were scored first; nothing if that decides nothing."""
    if runs.since is None:
        return {}
    first = select(Score.evaluation_id, func.min(Score.created_at)).where(there)
    return dict(session.execute(first.group_by(Score.evaluation_id)).all())


def _in_order(
    submissions: Select[*Columns], phase: Phase, team_id: UUID | None, off: ColumnElement[bool] | None
) -> Select[*Columns]:
    """Select the submissions of a phase, or of one team, that are not off the board; the earliest first."""
    on = submissions.where(Submission.phase_id == phase.id, ~(off_board() if off is None else off))
    on = on if team_id is None else on.where(Submission.team_id == team_id)
    return on.order_by(Submission.created_at, Submission.id)


def _counting(
    own: UUID, scores: Mapping[UUID, Scored], scored_at: Mapping[UUID, datetime], runs: CountingRuns
) -> Scored | None:
    """Choose the score that counts for an evaluation: of its newest run, or its own; None if it does not compete."""
    score = scores.get(runs.newest.get(own, own)) or scores.get(own)
    competes = runs.since is None or (own in scored_at and runs.compete(own, scored_at[own]))
    return score if competes else None


def _evaluations_of(phase: Phase, team_id: UUID) -> Select[UUID]:
    return select(Submission.evaluation_id).where(Submission.phase_id == phase.id, Submission.team_id == team_id)


def displaces(one: Pointer, other: Pointer) -> bool:
    """Whether one submission takes another's place: a team's better one, then the earlier; the newer reference."""
    when, when_other = (Submitted(each.submitted_at, each.submission_id) for each in (one, other))
    if one.reference is not Reference.NONE:
        return when >= when_other  # the same one's newer score
    return place_of(one.final_score, when) < place_of(other.final_score, when_other)
