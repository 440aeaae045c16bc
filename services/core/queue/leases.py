"""Claiming shards, and writing under a claim.

A claim is a lease with a fencing number. A worker that lost the lease holds an older number, and everything that it
tries to write is refused with LeaseLost, so a seed is never counted twice and a finished row is never overwritten.

Every moment is the database's, because the clocks of machines differ. If that clock jumps back, a moment lies further
ahead than any that we set; it then counts as past.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update

from services.core.errors import Conflict
from services.core.models import Evaluation, EventKind, FailureKind, MeasurementRow, Shard, State
from services.core.queue.lifecycle import ENDED, add_event, fail, lock_evaluation, move, move_shard
from services.core.queue.lines import lock_lines_of
from services.core.queue.retries import (
    BROKE,
    LOST,
    MAX_ATTEMPTS,
    RETRY_AFTER_S,
    UNSTABLE,
    broke_before,
    label_of,
    put_back,
)
from services.core.queue.turns import WorkerOffer, far_ahead, is_past, next_shard, spend
from services.core.store.database import ReadSession, WriteSession, clock

__all__ = [
    "MAX_ATTEMPTS",
    "RETRY_AFTER_S",
    "Lease",
    "LeaseLost",
    "MeasuredSeed",
    "WorkerOffer",
    "claim",
    "claimable",
    "fail_claim",
    "finish",
    "locked",
    "record",
    "release",
    "renew",
    "sweep",
    "tell_progress",
]

CLAIM_TRIES = 5


class LeaseLost(Conflict):
    """The shard was claimed again, or its evaluation ended, while this worker held an older claim."""

    code = "lease_lost"


@dataclass(frozen=True, slots=True)
class Lease:
    """A leased shard: seeds [seed_start, seed_stop) of an evaluation."""

    shard_id: UUID
    evaluation_id: UUID
    fence: int
    attempt: int
    seed_start: int
    seed_stop: int

    @property
    def is_last(self) -> bool:
        """Tell whether the queue gives up if this attempt fails through the platform."""
        return self.attempt >= MAX_ATTEMPTS

    @property
    def label(self) -> str:
        """Name the lease on the sandboxes that run under it."""
        return label_of(self.shard_id, self.fence)


@dataclass(frozen=True, slots=True)
class MeasuredSeed:
    """One measured seed, ready to be recorded."""

    seed: int
    blob: str
    checkpoint_sha256: str
    run_s: float
    peak_memory_bytes: int | None = None
    stress_blob: str | None = None
    placebo_blob: str | None = None
    cpu_s: float | None = None
    trainer_s: float | None = None
    trainer_cpu_s: float | None = None
    empty_s: float | None = None
    empty_cpu_s: float | None = None


def claimable(session: ReadSession, offer: WorkerOffer, now: datetime | None = None) -> UUID | None:
    """Return the shard that a worker should claim next, or None."""
    return next_shard(session, offer, now or clock(session))


def claim(session: WriteSession, offer: WorkerOffer, lease_s: float) -> Lease | None:
    """Lease the next shard this worker can serve, by compare-and-set. None if there is none."""
    for _ in range(CLAIM_TRIES):
        shard_id = claimable(session, offer)
        if shard_id is None:
            return None
        attempt = session.begin_nested()
        lease = _compare_and_set(session, shard_id, offer, lease_s)
        if lease is not None:
            attempt.commit()
            return lease
        attempt.rollback()  # and with it our lock on the evaluation: with two locks we could wait for a sweeper
    return None


def renew(session: WriteSession, lease: Lease, lease_s: float) -> None:
    """Extend the lease. Raises LeaseLost if it is gone or the evaluation was cancelled."""
    changed = session.execute(
        update(Shard)
        .where(Shard.id == lease.shard_id, Shard.fence == lease.fence, Shard.state == State.RUNNING)
        .values(lease_expires_at=clock(session) + timedelta(seconds=lease_s))
        .returning(Shard.id)
    ).all()
    if not changed:
        raise LeaseLost(f"Shard {lease.shard_id} is no longer leased to this worker.")


def record(session: WriteSession, lease: Lease, measured: Sequence[MeasuredSeed]) -> None:
    """Insert the measurements of some seeds, in the order in which they ran. Raises LeaseLost if an older claim writes.

    A repetition is harmless, for example after a commit whose answer was lost: existing rows stay.
    """
    evaluation, _ = locked(session, lease)
    same = MeasurementRow.seed.in_([row.seed for row in measured])
    there = set(
        session.scalars(select(MeasurementRow.seed).where(MeasurementRow.evaluation_id == lease.evaluation_id, same))
    )
    new = [row for row in measured if row.seed not in there]
    if not new:
        return
    before = select(func.count()).where(
        MeasurementRow.evaluation_id == lease.evaluation_id, MeasurementRow.sandbox == lease.label
    )
    session.add_all(
        MeasurementRow(
            evaluation_id=lease.evaluation_id,
            seed=row.seed,
            blob=row.blob,
            checkpoint_sha256=row.checkpoint_sha256,
            run_s=row.run_s,
            peak_memory_bytes=row.peak_memory_bytes,
            stress_blob=row.stress_blob,
            placebo_blob=row.placebo_blob,
            cpu_s=row.cpu_s,
            trainer_s=row.trainer_s,
            trainer_cpu_s=row.trainer_cpu_s,
            empty_s=row.empty_s,
            empty_cpu_s=row.empty_cpu_s,
            sandbox=lease.label,
            position=position,
        )
        for position, row in enumerate(new, start=session.scalars(before).one())
    )
    evaluation.seeds_done += len(new)
    tell_progress(session, evaluation)


def finish(session: WriteSession, lease: Lease) -> bool:
    """Mark the shard measured. True when it was the last one and the evaluation is now measured.

    The evaluation is locked before counting: without it two workers that finish together would each see the other
    unfinished, and nobody would close the evaluation.
    """
    evaluation, shard = locked(session, lease)
    move_shard(session, shard, State.MEASURED)
    session.flush()
    open_shards = session.scalars(
        select(func.count()).where(Shard.evaluation_id == evaluation.id, Shard.state != State.MEASURED)
    ).one()
    if open_shards:
        return False
    move(session, evaluation, State.MEASURED, seeds=evaluation.seeds_done)
    if evaluation.dry_run:
        add_event(session, evaluation, EventKind.CHECKED)
    return True


def fail_claim(session: WriteSession, lease: Lease, kind: FailureKind, message: str) -> None:
    """End the evaluation with the participant's failure, or put the shard back after a failure of the platform.

    `unstable` is the worker's word for a failure of the platform beside which a control entry passed. It is the
    participant's if an earlier attempt at the shard failed through the platform, too; one alone may be chance.
    """
    evaluation, shard = locked(session, lease)
    if kind is FailureKind.UNSTABLE and broke_before(session, shard):
        fail(session, evaluation, kind, UNSTABLE.format(attempts=shard.attempt))
    elif kind in (FailureKind.UNSTABLE, FailureKind.PLATFORM):
        put_back(session, evaluation, shard, message, cause=BROKE)
    else:
        fail(session, evaluation, kind, message)


def release(session: WriteSession, lease: Lease, *, after_s: float = 0.0) -> None:
    """Give the shard back, to be claimed after a while, because the worker stops or its place broke.

    This costs no attempt.
    """
    _, shard = locked(session, lease)
    move_shard(session, shard, State.QUEUED)
    shard.attempt -= 1
    shard.available_at = clock(session) + timedelta(seconds=after_s)


def sweep(session: WriteSession, lease_s: float, now: datetime | None = None) -> int:
    """Put back every shard whose lease has expired; return how many."""
    moment = now or clock(session)
    has_expired = Shard.state == State.RUNNING, is_past(Shard.lease_expires_at, moment, far_ahead(moment, lease_s))
    expired = session.execute(select(Shard.id, Shard.evaluation_id).where(*has_expired)).all()
    ids = sorted({row.evaluation_id for row in expired})
    evaluations = {one: lock_evaluation(session, one) for one in ids}
    lock_lines_of(session, ids)
    swept = 0
    for shard_id, evaluation_id in expired:
        shard = session.scalars(
            select(Shard).where(Shard.id == shard_id, *has_expired).execution_options(populate_existing=True)
        ).one_or_none()
        if shard is not None:  # it was not renewed meanwhile
            put_back(
                session, evaluations[evaluation_id], shard, f"Worker {shard.worker} stopped answering.", cause=LOST
            )
            swept += 1
    return swept


def tell_progress(session: WriteSession, evaluation: Evaluation) -> None:
    """Add the event that says how far a locked evaluation is."""
    add_event(
        session,
        evaluation,
        EventKind.PROGRESS,
        seeds_done=evaluation.seeds_done,
        seeds=evaluation.seeds,
        checkpoints_written=evaluation.checkpoints_written,
    )


def locked(session: WriteSession, lease: Lease) -> tuple[Evaluation, Shard]:
    """Lock the evaluation and the shard of a lease. Raises LeaseLost."""
    evaluation = lock_evaluation(session, lease.evaluation_id)
    shard = session.get_one(Shard, lease.shard_id, populate_existing=True)
    if shard.fence != lease.fence or shard.state is not State.RUNNING or evaluation.state in ENDED:
        raise LeaseLost(f"Shard {lease.shard_id} is no longer leased to this worker.")
    return evaluation, shard


def _keep_on(session: WriteSession, evaluation: Evaluation, device_class: str) -> None:
    """Keep a locked evaluation on one class of device from now on."""
    evaluation.device_class = device_class
    session.execute(update(Shard).where(Shard.evaluation_id == evaluation.id).values(device_class=device_class))


def _compare_and_set(session: WriteSession, shard_id: UUID, offer: WorkerOffer, lease_s: float) -> Lease | None:
    """Lease a shard that was claimable a moment ago; None if somebody was faster."""
    evaluation_id = session.scalars(select(Shard.evaluation_id).where(Shard.id == shard_id)).one()
    evaluation = lock_evaluation(session, evaluation_id)
    shard = session.get_one(Shard, shard_id, populate_existing=True)
    if shard.state is not State.QUEUED or evaluation.device_class not in (None, offer.device_class):
        return None
    spend(session, shard.line_id)
    move_shard(session, shard, State.RUNNING)
    shard.fence += 1
    shard.attempt += 1
    shard.worker = offer.worker
    shard.lease_expires_at = clock(session) + timedelta(seconds=lease_s)
    if evaluation.device_class is None:
        _keep_on(session, evaluation, offer.device_class)
    if evaluation.state is State.QUEUED:
        move(session, evaluation, State.RUNNING)
    return Lease(shard.id, evaluation_id, shard.fence, shard.attempt, shard.seed_start, shard.seed_stop)
