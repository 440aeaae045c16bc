"""Provisional scores: what the runs measured so far say of an evaluation that is still under way.

F depends on N (`docs/decisions/0004-f-is-compared-at-equal-n.md`), so the score of 64 runs is no estimate of that of
512: it is told with its number of runs and its interval, as an event of the evaluation. It is never a Score, never on a
board, and decides nothing.

Where a phase hides its data nothing is told: each provisional score would be one more query of them. Nor of a notebook,
whose results appear together, and of a run that nobody submitted.
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
    """An evaluation that has passed a step of which nothing was told."""

    evaluation_id: UUID
    metric: str
    models: int


def steps(seeds: int) -> list[int]:
    """Return after how many of N runs a provisional score is told; after fewer than 8 it would be 0."""
    return [models for divisor in DIVISORS if (models := seeds // divisor) >= MIN_SCORED_MODELS]


def find_due(session: ReadSession) -> list[Due]:
    """Find what is to be told, for each evaluation the last step alone, oldest evaluation first."""
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
    """Append the event, unless the evaluation has ended or somebody else told as much; return whether it was told."""
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
    """Say after how many runs each evaluation's newest provisional score was told."""
    events = session.execute(
        select(Event.evaluation_id, Event.payload)
        .where(Event.evaluation_id.in_(evaluation_ids), Event.kind == EventKind.PROVISIONAL)
        .order_by(Event.sequence)
    )
    return {evaluation_id: payload.models or 0 for evaluation_id, payload in events}
