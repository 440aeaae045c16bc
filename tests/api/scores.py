"""Outcomes written straight into the database, as worker and scorer would."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.core.board.standings import next_moment
from services.core.models import (
    Evaluation,
    EventKind,
    LeaderboardEntry,
    Phase,
    Reference,
    Score,
    State,
    Submission,
    SubmissionKind,
    Team,
)
from services.core.models.costs import CostForm
from services.core.queue.lifecycle import add_event, lock_evaluation, move, queue_evaluation
from services.core.store.database import WriteSession, utc_now
from tests.api.harness import Api
from tests.halves import halves_with_margin


def measure(session: WriteSession, evaluation_id: UUID) -> Evaluation:
    """Take an evaluation to `measured`."""
    evaluation = lock_evaluation(session, evaluation_id)
    move(session, evaluation, State.RUNNING)
    move(session, evaluation, State.MEASURED, seeds=evaluation.seeds)
    return evaluation


def score(
    session: WriteSession,
    evaluation_id: UUID,
    final_score: float,
    *,
    margin: float = 0.01,
    run_s: float = 1.0,
    metric: str = "neurips-2023",
    alarms: list[dict[str, str]] | None = None,
    flags: list[str] | None = None,
    cost: CostForm | None = None,
) -> Score:
    """Score a measured evaluation, and append the event that ends its stream."""
    evaluation = lock_evaluation(session, evaluation_id)
    row = Score(
        evaluation_id=evaluation_id,
        metric=metric,
        forgetting_quality=final_score,
        forgetting_quality_low=max(0.0, final_score - margin),
        forgetting_quality_high=final_score + margin,
        utility=1.0,
        utility_low=0.99,
        utility_high=1.01,
        final_score=final_score,
        ci_low=max(0.0, final_score - margin),
        ci_high=final_score + margin,
        seeds=evaluation.seeds,
        distinct_models=evaluation.seeds,
        effective_models=evaluation.seeds,
        run_s=run_s,
        cost=cost,
        halves=halves_with_margin(final_score, margin),
        subject_points=[[final_score, 1.0], [final_score, 1.0]],
        alarms=alarms or [],
        flags=flags or [],
        epsilons=[1.0, 2.0],
    )
    session.add(row)
    session.flush()
    add_event(session, evaluation, EventKind.SCORED, final_score=final_score)
    return row


def publish(
    session: WriteSession,
    phase: Phase,
    team: Team,
    final_score: float,
    *,
    submitted_at: datetime | None = None,
    published_at: datetime | None = None,
    reference: Reference = Reference.NONE,
    **numbers: Any,
) -> LeaderboardEntry:
    """Put an entry of its own evaluation on the board."""
    moment = submitted_at or utc_now()
    evaluation = queue_evaluation(session, phase, "c" * 64)
    measure(session, evaluation.id)
    assert evaluation.started_at is not None
    evaluation.finished_at = evaluation.started_at + timedelta(seconds=90)
    submission = Submission(
        phase_id=phase.id,
        team_id=team.id,
        account_id=phase.competition.owner_id,
        evaluation_id=evaluation.id,
        name=f"by {team.name}",
        filename="entry.py",
        kind=SubmissionKind.MODULE,
        reference=reference,
        blob="c" * 64,
        size_bytes=1,
        created_at=moment,
    )
    session.add(submission)
    session.flush()
    entry = LeaderboardEntry(
        phase_id=phase.id,
        team_id=team.id,
        submission_id=submission.id,
        score_id=score(session, evaluation.id, final_score, **numbers).id,
        reference=reference,
        final_score=final_score,
        submitted_at=moment,
        published_at=moved(session, phase, published_at),
    )
    session.add(entry)
    session.flush()
    return entry


def retire(session: WriteSession, entry_id: UUID, moment: datetime | None = None) -> None:
    """Take an entry off the board."""
    entry = session.get_one(LeaderboardEntry, entry_id)
    entry.retired_at = moved(session, session.get_one(Phase, entry.phase_id), moment)


def moved(session: WriteSession, phase: Phase, moment: datetime | None = None) -> datetime:
    """Note that a pointer moves now, or moved at an earlier moment."""
    if moment is None:
        return next_moment(session, phase)
    phase.board_moved_at = max(moment, phase.board_moved_at or moment)
    return moment


def put(api: Api, phase: Phase, team: str, final_score: float, **options: Any) -> LeaderboardEntry:
    """Put an entry of a new team on the board."""
    with api.database.write() as session:
        row = Team(name=team)
        session.add(row)
        session.flush()
        current = session.get_one(Phase, phase.id)
        return publish(session, current, row, final_score, **options)
