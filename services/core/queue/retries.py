"""How often and when a shard is tried again whose attempt came to nothing through no fault of the entry.

Only `leases` calls this, with the evaluation locked.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from services.core.models import Evaluation, Event, EventKind, FailureKind, MeasurementRow, Shard, State
from services.core.queue.lifecycle import add_event, fail, move_shard
from services.core.store.database import ReadSession, WriteSession, clock

__all__ = [
    "BROKE",
    "LONGEST_WAIT_S",
    "LOST",
    "MAX_ATTEMPTS",
    "RETRY_AFTER_S",
    "UNSTABLE",
    "broke_before",
    "label_of",
    "put_back",
]

MAX_ATTEMPTS = 5
RETRY_AFTER_S = 5.0
LONGEST_WAIT_S = RETRY_AFTER_S * MAX_ATTEMPTS
LOST = "lease_lost"  # the cause of a retry after the worker fell silent
BROKE = "platform"  # the cause of a retry after a failure of the platform, not of a lost lease
UNSTABLE = (
    "Your submission ended in a way that we could not explain, in {attempts} attempts, while a control entry passed at "
    "the same place. It counts against your quota. Try it with `lethe evaluate`, which uses the same sandbox."
)


def label_of(shard_id: UUID, fence: int) -> str:
    """Name a claim on the sandboxes and measurements that it makes."""
    return f"{shard_id}-{fence}"


def broke_before(session: ReadSession, shard: Shard) -> bool:
    """Tell whether an earlier attempt at the shard failed through the platform."""
    retries = session.scalars(
        select(Event).where(Event.evaluation_id == shard.evaluation_id, Event.kind == EventKind.RETRIED)
    )
    return any(event.payload.cause == BROKE and event.payload.seed_start == shard.seed_start for event in retries)


def _has_come_on(session: ReadSession, shard: Shard) -> bool:
    """Tell whether the shard's newest claim recorded a measurement that stays. A notebook's are discarded."""
    discarded = select(Event.sequence).where(
        Event.evaluation_id == shard.evaluation_id, Event.kind == EventKind.DISCARDED
    )
    if session.scalars(discarded.limit(1)).first() is not None:
        return False
    found = select(MeasurementRow.seed).where(
        MeasurementRow.evaluation_id == shard.evaluation_id, MeasurementRow.sandbox == label_of(shard.id, shard.fence)
    )
    return session.scalars(found.limit(1)).first() is not None


def put_back(session: WriteSession, evaluation: Evaluation, shard: Shard, reason: str, *, cause: str) -> None:
    """Put a shard back, or give up after too many attempts in a row.

    A worker that died after it had recorded measurements shows that the entry runs, so attempts are counted anew.
    """
    if cause == LOST and _has_come_on(session, shard):
        shard.attempt = 0
    if shard.attempt >= MAX_ATTEMPTS:
        message = (
            f"We could not run this submission after {shard.attempt} attempts. It does not count against your quota. "
            f"Last reason: {reason}"
        )
        fail(session, evaluation, FailureKind.PLATFORM, message, cause=cause)
        return
    move_shard(session, shard, State.QUEUED)
    shard.available_at = clock(session) + timedelta(seconds=RETRY_AFTER_S * max(0, shard.attempt - 1))
    add_event(session, evaluation, EventKind.RETRIED, attempt=shard.attempt, seed_start=shard.seed_start, cause=cause)
