"""Provisional scores of evaluations that are still running, computed from the runs measured so far.

F depends on N (`docs/decisions/0004-f-is-compared-at-equal-n.md`), so a score of 64 runs does not estimate a score of
512 runs. A provisional score is an event of the evaluation, with its number of runs and its interval. It is never a
Score, never on a leaderboard, and decides nothing.

A phase that hides its data has no provisional scores, because each would be one more query of the data. Notebooks have
none, because their results appear together. Runs that nobody submitted have none either.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, select

from services.core.models import Evaluation, Event, EventKind, Phase, State, Submission
from services.core.queue.lifecycle import add_event, lock_evaluation
from services.core.store.database import ReadSession, WriteSession
from services.scorer.metrics import ScoreCard
from services.scorer.metrics.lethe_1 import MIN_SCORED_MODELS

__all__ = ["Due", "find_due", "steps", "tell"]

DIVISORS = (8, 4, 2)  # of N: together they cost less than the final score


@dataclass(frozen=True, slots=True)
class Due:
    """An evaluation that has passed a step whose provisional score was not announced."""

    evaluation_id: UUID
    metric: str
    models: int


def steps(seeds: int) -> list[int]:
    """Return after how many of N runs a provisional score is announced; with fewer than 8 models it would be 0."""
    return [models for divisor in DIVISORS if (models := seeds // divisor) >= MIN_SCORED_MODELS]


def find_due(session: ReadSession) -> list[Due]:
    """Find the provisional scores to announce: only the last step of each evaluation, oldest evaluation first."""
    rows = session.execute(
        select(Evaluation.id, Phase.metric, Evaluation.seeds, Evaluation.seeds_done)
        .join(Phase, Evaluation.phase_id == Phase.id)
        .where(
            Evaluation.state == State.RUNNING,
            Evaluation.seeds_done >= MIN_SCORED_MODELS,
            Phase.data_hidden.is_(False),
            exists().where(Submission.evaluation_id == Evaluation.id),
        )
        .order_by(Evaluation.created_at, Evaluation.id)
    ).all()
    passed = {
        one: Due(one, metric, max(reached))
        for one, metric, seeds, done in rows
        if (reached := [models for models in steps(seeds) if models <= done])
    }
    if not passed:
        return []
    told = _told(session, list(passed))
    return [due for due in passed.values() if due.models > told.get(due.evaluation_id, 0)]


def tell(session: WriteSession, due: Due, card: ScoreCard) -> bool:
    """Append the event, unless the evaluation has ended or has such an event; return whether it was appended."""
    evaluation = lock_evaluation(session, due.evaluation_id)
    if (
        evaluation.state is not State.RUNNING
        or _told(session, [due.evaluation_id]).get(due.evaluation_id, 0) >= due.models
    ):
        return False
    score = card.final_score
    add_event(
        session,
        evaluation,
        EventKind.PROVISIONAL,
        metric=card.metric,
        models=due.models,
        final_score=score.value,
        ci_low=score.low,
        ci_high=score.high,
    )
    return True


def _told(session: ReadSession, evaluation_ids: list[UUID]) -> dict[UUID, int]:
    """Return after how many runs each evaluation's newest provisional score was announced."""
    events = session.execute(
        select(Event.evaluation_id, Event.payload)
        .where(Event.evaluation_id.in_(evaluation_ids), Event.kind == EventKind.PROVISIONAL)
        .order_by(Event.sequence)
    )
    return {evaluation_id: payload.models or 0 for evaluation_id, payload in events}
