"""How evaluations and shards change state. Every change goes through `move`, which checks a table and adds an event.

queued -> running -> measured        all seeds have measurements
                  -> failed          the participant's fault, or ours too many times
       -> cancelled (also from running)
a shard also goes running -> queued: its lease expired or its worker gave it back
"""

import secrets
from uuid import UUID

from sqlalchemy import Select, select, update

from services.core import happenings
from services.core.errors import Conflict, NotFound
from services.core.models import (
    Evaluation,
    Event,
    EventKind,
    FailureKind,
    Phase,
    PhaseKind,
    Shard,
    State,
    Submission,
    SubmissionState,
)
from services.core.models.stored import EventPayload
from services.core.queue import lines
from services.core.store.database import ReadSession, WriteSession, utc_now
from services.core.submission.notebook import DRY_RUN_CHECKPOINTS, REHEARSAL_CHECKPOINTS
from services.core.text import MAX_CHARACTERS, tidy

__all__ = [
    "ENDED",
    "BadTransition",
    "add_event",
    "awaiting_score",
    "cancel",
    "fail",
    "lock_evaluation",
    "move",
    "move_shard",
    "queue_evaluation",
    "shared_evaluation",
    "submissions_of",
]

_EVALUATION: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.RUNNING, State.FAILED, State.CANCELLED}),
    State.RUNNING: frozenset({State.MEASURED, State.FAILED, State.CANCELLED}),
    State.MEASURED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}
_SHARD = _EVALUATION | {State.RUNNING: _EVALUATION[State.RUNNING] | {State.QUEUED}}

ENDED = frozenset(state for state, following in _EVALUATION.items() if not following)
SEED_KEY_BYTES = 32
MAX_MESSAGE_CHARACTERS = MAX_CHARACTERS + 1000  # a sandbox's text, and our words around it


class BadTransition(Conflict):
    code = "bad_transition"


def lock_evaluation(session: WriteSession, evaluation_id: UUID) -> Evaluation:
    """Lock an evaluation until the transaction ends. Always taken before its shards, so that nobody deadlocks."""
    statement = select(Evaluation).where(Evaluation.id == evaluation_id).with_for_update()
    evaluation = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if evaluation is None:
        raise NotFound(f"There is no evaluation {evaluation_id}.")
    return evaluation


def add_event(session: WriteSession, evaluation: Evaluation, kind: EventKind, **payload: object) -> None:
    """Append an event. The evaluation must be locked, because its counter gives the sequence number."""
    evaluation.last_event += 1
    said = EventPayload.model_validate(payload, extra="forbid")
    session.add(Event(evaluation_id=evaluation.id, sequence=evaluation.last_event, kind=kind, payload=said))
    happenings.evaluation_moved(session, evaluation, kind)


def move(session: WriteSession, evaluation: Evaluation, to: State, **payload: object) -> None:
    """Change the state of a locked evaluation and write the event. Raises BadTransition if the table forbids it."""
    if to not in _EVALUATION[evaluation.state]:
        raise BadTransition(f"Evaluation {evaluation.id} is {evaluation.state}; it cannot become {to}.")
    evaluation.state = to
    if to is State.RUNNING:
        evaluation.started_at = utc_now()
    if to in ENDED:
        evaluation.finished_at = utc_now()
        evaluation.may_lack_score = to is State.MEASURED and not evaluation.dry_run
    if to is State.MEASURED:
        evaluation.readings_until = evaluation.finished_at
    add_event(session, evaluation, EventKind(to.value), **payload)


def move_shard(session: WriteSession, shard: Shard, to: State) -> None:
    """Change the state of a shard whose evaluation is locked. Raises BadTransition if the table forbids it."""
    if to not in _SHARD[shard.state]:
        raise BadTransition(f"Shard {shard.id} is {shard.state}; it cannot become {to}.")
    if State.QUEUED in (shard.state, to):
        lines.count(session, shard.line_id, 1 if to is State.QUEUED else -1)
    shard.state = to
    if to is not State.RUNNING:
        shard.lease_expires_at = None


def queue_evaluation(
    session: WriteSession,
    phase: Phase,
    code_sha256: str,
    *,
    team_id: UUID | None = None,
    notebook: bool = False,
    seed_key: bytes | None = None,
    behind: bool = False,
    benchmark_id: UUID | None = None,
    seeds: int | None = None,
) -> Evaluation:
    """Insert an evaluation of the phase's seeds, cut into shards, ready to be claimed when the team's turn comes.

    A notebook makes all checkpoints itself, so it is one shard; in a check phase it is rehearsed, or a
    dry run. Without a seed key it draws one. What is to be `behind` runs if nothing else waits.
    Benchmark and number of runs are the phase's unless they are given.
    """
    dry_run = notebook and phase.kind is PhaseKind.CHECK
    seeds = _trial_checkpoints(phase) if dry_run else seeds or phase.seeds
    evaluation = Evaluation(
        phase_id=phase.id,
        benchmark_id=benchmark_id or phase.benchmark_id,
        code_sha256=code_sha256,
        seeds=seeds,
        seed_key=seed_key or secrets.token_bytes(SEED_KEY_BYTES),
        state=State.QUEUED,
        last_event=0,
        dry_run=dry_run,
    )
    session.add(evaluation)
    session.flush()
    size = seeds if notebook else phase.shard_seeds
    line = lines.line_of(session, phase, team_id, behind=behind)
    starts = range(0, seeds, size)
    for start in starts:
        session.add(
            Shard(
                evaluation_id=evaluation.id,
                line_id=line.id,
                seed_start=start,
                seed_stop=min(start + size, seeds),
                queued_at=evaluation.created_at,
            )
        )
    add_event(session, evaluation, EventKind.QUEUED, seeds=seeds)
    lines.count(session, line.id, len(starts))
    return evaluation


def _trial_checkpoints(phase: Phase) -> int:
    return REHEARSAL_CHECKPOINTS if phase.rehearse else DRY_RUN_CHECKPOINTS


def shared_evaluation(session: ReadSession, phase: Phase, team_id: UUID, code_sha256: str) -> UUID | None:
    """Find the evaluation that a team's code of this form has in a phase, so that resubmitting draws no new seeds."""
    return session.scalar(
        select(Evaluation.id)
        .join(Submission, Submission.evaluation_id == Evaluation.id)
        .where(
            Submission.team_id == team_id,
            Submission.phase_id == phase.id,
            Submission.code_sha256 == code_sha256,
            Evaluation.state.not_in([State.FAILED, State.CANCELLED]),
        )
        .order_by(Evaluation.created_at)
        .limit(1)
    )


def submissions_of(evaluation: Evaluation) -> Select[Submission]:
    """Select the submissions whose code an evaluation runs: all of its phase with these bytes, also for a re-run."""
    return select(Submission).where(
        Submission.phase_id == evaluation.phase_id, Submission.blob == evaluation.code_sha256
    )


def awaiting_score() -> Select[Evaluation]:
    """Select the measured evaluations that have no score by their phase's metric."""
    waiting = Evaluation.shown_state == SubmissionState.MEASURED
    return select(Evaluation).where(Evaluation.may_lack_score, waiting)  # the first finds them by the index


def fail(session: WriteSession, evaluation: Evaluation, kind: FailureKind, message: str, **payload: object) -> None:
    """End a locked evaluation as failed, and its open shards with it; the event's payload may say more.

    Any message will do: it is tidied here, because a database refuses some characters.
    """
    message = tidy(message, limit=MAX_MESSAGE_CHARACTERS)
    evaluation.failure_kind = kind
    evaluation.failure_message = message
    move(session, evaluation, State.FAILED, failure=kind.value, message=message, **payload)
    _end_shards(session, evaluation, State.FAILED)


def cancel(session: WriteSession, evaluation: Evaluation) -> None:
    """End a locked evaluation as cancelled; workers notice at their next renewal and end its sandboxes."""
    move(session, evaluation, State.CANCELLED)
    _end_shards(session, evaluation, State.CANCELLED)


def _end_shards(session: WriteSession, evaluation: Evaluation, to: State) -> None:
    line_id = session.scalars(select(Shard.line_id).where(Shard.evaluation_id == evaluation.id).limit(1)).one()
    lines.count(session, line_id, -lines.waiting_shards(session, evaluation))
    session.execute(
        update(Shard)
        .where(Shard.evaluation_id == evaluation.id, Shard.state.in_([State.QUEUED, State.RUNNING]))
        .values(state=to, lease_expires_at=None)
    )
