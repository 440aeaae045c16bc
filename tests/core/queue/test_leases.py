"""Leases and fencing: the rules that keep a seed from being counted twice."""

import threading
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from services.core.models import Device, Evaluation, Event, FailureKind, MeasurementRow, Phase, Shard, State
from services.core.queue import leases, notes
from services.core.queue.leases import Lease, LeaseLost, MeasuredSeed, WorkerOffer
from services.core.queue.lifecycle import cancel, lock_evaluation, queue_evaluation
from services.core.store.database import Database, utc_now

OFFER = WorkerOffer(worker="w1", device=Device.CPU, device_class="cpu-x86_64", memory_bytes=2**31)
LATER = timedelta(hours=1)
LEASE_S = 30.0


def claim(database: Database, offer: WorkerOffer = OFFER) -> Lease:
    with database.write() as session:
        held = leases.claim(session, offer, LEASE_S)
    assert held is not None
    return held


def measured(seed: int) -> MeasuredSeed:
    return MeasuredSeed(seed=seed, blob="b" * 64, checkpoint_sha256="c" * 64, run_s=0.5)


def record(database: Database, held: Lease, *seeds: int) -> None:
    with database.write() as session:
        leases.record(session, held, [measured(seed) for seed in seeds])


def expire_and_sweep(database: Database) -> int:
    with database.write() as session:
        return leases.sweep(session, LEASE_S, utc_now() + LATER)


def lose(database: Database, held: Lease) -> None:
    """Let the worker of a lease die, and its shard wait no longer."""
    assert expire_and_sweep(database) == 1
    with database.write() as session:
        session.get_one(Shard, held.shard_id).available_at = utc_now() - timedelta(seconds=1)


def shard_of(database: Database, held: Lease) -> Shard:
    with database.read() as session:
        return session.get_one(Shard, held.shard_id)


def evaluation_of(database: Database, evaluation: Evaluation) -> Evaluation:
    with database.read() as session:
        return session.get_one(Evaluation, evaluation.id)


def test_claim_takes_shards_in_order_then_none(database: Database, evaluation: Evaluation) -> None:
    first, second = claim(database), claim(database)
    assert (first.seed_start, first.seed_stop, second.seed_start, second.seed_stop) == (0, 4, 4, 8)
    with database.write() as session:
        assert leases.claim(session, OFFER, 30) is None
    assert evaluation_of(database, evaluation).state is State.RUNNING


def test_recording_the_same_seeds_again_counts_them_once(database: Database, evaluation: Evaluation) -> None:
    """As after a commit whose answer was lost on the way."""
    held = claim(database)
    record(database, held, 0, 1)
    record(database, held, 0, 1)
    record(database, held, 1, 2)
    assert evaluation_of(database, evaluation).seeds_done == 3
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(MeasurementRow)) == 3
        progress = session.scalars(select(Event.payload).where(Event.kind == "progress").order_by(Event.sequence))
        assert [payload.seeds_done for payload in progress] == [2, 3]


@pytest.mark.usefixtures("evaluation")
def test_rows_tell_which_sandbox_ran_them_and_in_which_order(database: Database) -> None:
    """The order in which results come, whatever the numbers of the seeds; a later claim runs another sandbox."""
    held = claim(database)
    for batch in ([2], [0, 3]):
        with database.write() as session:
            leases.record(session, held, [leases.MeasuredSeed(seed, "b" * 64, "c" * 64, 1.0) for seed in batch])
    with database.write() as session:
        leases.release(session, held)
    again = claim(database)
    record(database, again, 1, 2)
    with database.read() as session:
        rows = session.execute(
            select(MeasurementRow.seed, MeasurementRow.sandbox, MeasurementRow.position).order_by(MeasurementRow.seed)
        )
        assert [tuple(row) for row in rows] == [
            (0, held.label, 1),
            (1, again.label, 0),
            (2, held.label, 0),
            (3, held.label, 2),
        ]


@pytest.mark.usefixtures("evaluation")
@pytest.mark.parametrize(
    "offer",
    [
        WorkerOffer("w", Device.GPU, "gpu-h100", 2**31),
        WorkerOffer("w", Device.CPU, "cpu-x86_64", 2**20),
    ],
    ids=["wrong device", "too little memory"],
)
def test_claim_refuses_an_offer_that_does_not_match(database: Database, offer: WorkerOffer) -> None:
    with database.write() as session:
        assert leases.claim(session, offer, 30) is None


@pytest.mark.usefixtures("evaluation")
def test_claim_keeps_an_evaluation_on_one_class_of_device(database: Database) -> None:
    claim(database)
    with database.write() as session:
        assert leases.claim(session, WorkerOffer("w2", Device.CPU, "cpu-arm64", 2**31), 30) is None


@pytest.mark.usefixtures("evaluation")
def test_concurrent_claims_never_share_a_shard(database: Database) -> None:
    found: list[Lease | None] = []
    barrier = threading.Barrier(6)

    def work() -> None:
        barrier.wait()
        with database.write() as session:
            found.append(leases.claim(session, OFFER, 30))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = [claimed for claimed in found if claimed is not None]
    assert len(found) == 6
    assert len(held) == 2
    assert len({claimed.shard_id for claimed in held}) == 2


def test_last_finish_measures_the_evaluation(database: Database, evaluation: Evaluation) -> None:
    first, second = claim(database), claim(database)
    record(database, first, 0, 1, 2, 3)
    record(database, second, 4, 5, 6, 7)
    with database.write() as session:
        assert leases.finish(session, second) is False
    with database.write() as session:
        assert leases.finish(session, first) is True
    row = evaluation_of(database, evaluation)
    assert (row.state, row.seeds_done) == (State.MEASURED, 8)


def test_two_finishers_at_once_close_the_evaluation_exactly_once(database: Database, evaluation: Evaluation) -> None:
    held = [claim(database), claim(database)]
    last: list[bool] = []
    barrier = threading.Barrier(2)

    def work(own: Lease) -> None:
        barrier.wait()
        with database.write() as session:
            last.append(leases.finish(session, own))

    threads = [threading.Thread(target=work, args=(own,)) for own in held]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(last) == [False, True]
    assert evaluation_of(database, evaluation).state is State.MEASURED


def test_expired_lease_is_claimed_again_and_the_old_claim_is_fenced_off(
    database: Database, evaluation: Evaluation
) -> None:
    old = claim(database)
    record(database, old, 0, 1)
    assert expire_and_sweep(database) == 1
    new = claim(database)
    assert (new.shard_id, new.fence, new.attempt) == (old.shard_id, old.fence + 1, 1)
    with pytest.raises(LeaseLost):
        record(database, old, 2)
    with pytest.raises(LeaseLost):
        _finish(database, old)
    with pytest.raises(LeaseLost):
        _fail(database, old, FailureKind.EXCEPTION)
    with pytest.raises(LeaseLost):
        _renew(database, old)
    record(database, new, 2, 3)
    with database.read() as session:
        assert session.scalars(select(func.count()).select_from(MeasurementRow)).one() == 4
    assert evaluation_of(database, evaluation).seeds_done == 4


def _finish(database: Database, held: Lease) -> None:
    with database.write() as session:
        leases.finish(session, held)


def _fail(database: Database, held: Lease, kind: FailureKind, message: str = "why") -> None:
    with database.write() as session:
        leases.fail_claim(session, held, kind, message)


def _renew(database: Database, held: Lease) -> None:
    with database.write() as session:
        leases.renew(session, held, 30)


def test_participant_failure_ends_everything(database: Database, evaluation: Evaluation) -> None:
    held, other = claim(database), claim(database)
    _fail(database, held, FailureKind.TIMEOUT, "run 1 of 8 took too long")
    row = evaluation_of(database, evaluation)
    assert (row.state, row.failure_kind, row.failure_message) == (
        State.FAILED,
        FailureKind.TIMEOUT,
        "run 1 of 8 took too long",
    )
    with pytest.raises(LeaseLost):
        _renew(database, other)


def test_platform_failure_is_retried_later_then_given_up(database: Database, evaluation: Evaluation) -> None:
    for attempt in range(1, leases.MAX_ATTEMPTS + 1):
        with database.write() as session:
            for shard in session.scalars(select(Shard)):
                shard.available_at = utc_now()
        held = claim(database)
        assert held.attempt == attempt
        _fail(database, held, FailureKind.PLATFORM, "disk full")
    row = evaluation_of(database, evaluation)
    assert (row.state, row.failure_kind) == (State.FAILED, FailureKind.PLATFORM)
    assert row.failure_message is not None and "disk full" in row.failure_message


@pytest.mark.usefixtures("evaluation")
def test_release_costs_no_attempt(database: Database) -> None:
    held = claim(database)
    with database.write() as session:
        leases.release(session, held)
    again = claim(database)
    assert (again.shard_id, again.attempt, again.fence) == (held.shard_id, 1, 2)


@pytest.mark.usefixtures("evaluation")
def test_shard_of_a_place_that_broke_waits_without_the_loss_of_an_attempt(database: Database) -> None:
    held = claim(database)
    with database.write() as session:
        leases.release(session, held, after_s=leases.RETRY_AFTER_S)
    assert claim(database).shard_id != held.shard_id
    with database.write() as session:
        assert leases.claim(session, OFFER, LEASE_S) is None
        assert (
            leases.claimable(session, OFFER, now=utc_now() + timedelta(seconds=leases.RETRY_AFTER_S)) == held.shard_id
        )


def test_attempts_count_anew_if_the_lost_worker_had_recorded_something(
    database: Database, evaluation: Evaluation
) -> None:
    """A shard of many runs outlives many workers; one that comes no further is given up in the end."""
    for seed in range(4):
        held = claim(database)
        record(database, held, seed)
        lose(database, held)
    assert shard_of(database, held).state is State.QUEUED
    for attempt in range(leases.MAX_ATTEMPTS):
        held = claim(database)
        assert held.attempt == attempt + 1
        lose(database, held)
    row = evaluation_of(database, evaluation)
    assert (row.state, row.failure_kind, row.seeds_done) == (State.FAILED, FailureKind.PLATFORM, 4)


def test_attempts_at_a_notebook_count_whatever_it_recorded(database: Database, evaluation: Evaluation) -> None:
    for _ in range(leases.MAX_ATTEMPTS + 1):
        held = claim(database)
        with database.write() as session:
            notes.discard(session, held)
        record(database, held, 0)
        lose(database, held)
    assert evaluation_of(database, evaluation).failure_kind is FailureKind.PLATFORM


@pytest.mark.usefixtures("evaluation")
def test_no_shard_waits_for_a_clock_that_jumped_back(database: Database) -> None:
    """The database's clock loses a day, after one shard was claimed and one was put off."""
    held, other = claim(database), claim(database)
    with database.write() as session:
        leases.release(session, other, after_s=leases.RETRY_AFTER_S)
        yesterday = utc_now() - timedelta(days=1)
        assert leases.claimable(session, OFFER, now=yesterday) == other.shard_id
        assert leases.sweep(session, LEASE_S, now=yesterday) == 1
    assert shard_of(database, held).state is State.QUEUED


def test_cancel_reaches_the_worker_at_its_next_renewal(database: Database, evaluation: Evaluation) -> None:
    held = claim(database)
    _renew(database, held)
    with database.write() as session:
        cancel(session, lock_evaluation(session, evaluation.id))
    with pytest.raises(LeaseLost):
        _renew(database, held)


@pytest.mark.usefixtures("evaluation")
def test_sweep_leaves_live_leases_alone(database: Database) -> None:
    held = claim(database)
    with database.write() as session:
        assert leases.sweep(session, LEASE_S) == 0
    assert shard_of(database, held).state is State.RUNNING


ACTIONS = st.lists(st.sampled_from(["claim", "record", "finish", "fail", "expire", "release"]), max_size=25)


@given(actions=ACTIONS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_counts_every_seed_once_and_numbers_events_without_gaps(
    database: Database, evaluation: Evaluation, actions: list[str]
) -> None:
    with database.write() as session:
        phase = session.scalars(select(Phase)).one()
        fresh = queue_evaluation(session, phase, "e" * 64).id
        for other in session.scalars(select(Evaluation).where(Evaluation.id != fresh, Evaluation.state == "queued")):
            cancel(session, other)
        for other in session.scalars(select(Evaluation).where(Evaluation.id != fresh, Evaluation.state == "running")):
            cancel(session, other)
    held: list[Lease] = []
    for action in actions:
        _act(database, held, action)
    with database.read() as session:
        row = session.get_one(Evaluation, fresh)
        rows = select(func.count()).where(MeasurementRow.evaluation_id == fresh)
        assert row.seeds_done == session.scalars(rows).one()
        sequence = list(session.scalars(select(Event.sequence).where(Event.evaluation_id == fresh)))
        assert sorted(sequence) == list(range(1, row.last_event + 1))


def _act(database: Database, held: list[Lease], action: str) -> None:
    with database.write() as session:
        for shard in session.scalars(select(Shard).where(Shard.state == State.QUEUED)):
            shard.available_at = utc_now()
    if action == "claim":
        with database.write() as session:
            claimed = leases.claim(session, OFFER, 30)
        held += [claimed] if claimed else []
    elif action == "expire":
        expire_and_sweep(database)
    elif held:
        _write_as(database, held[0], action)
        if action != "record":
            held.pop(0)


def _write_as(database: Database, held: Lease, action: str) -> None:
    with database.read() as session:
        done = set(
            session.scalars(select(MeasurementRow.seed).where(MeasurementRow.evaluation_id == held.evaluation_id))
        )
    missing = [seed for seed in range(held.seed_start, held.seed_stop) if seed not in done]
    try:
        with database.write() as session:
            if action == "record":
                leases.record(session, held, [measured(seed) for seed in missing[:2]])
            elif action == "finish":
                leases.finish(session, held)
            elif action == "fail":
                leases.fail_claim(session, held, FailureKind.PLATFORM, "why")
            else:
                leases.release(session, held)
    except LeaseLost:
        pass


def platform_failures(database: Database, attempts: int) -> Lease:
    """Fail the first shard some times through the platform; return the lease of its next attempt."""
    for _ in range(attempts):
        _fail(database, claim(database), FailureKind.PLATFORM, "broke")
        with database.write() as session:
            for shard in session.scalars(select(Shard)):
                shard.available_at = utc_now() - LATER
    return claim(database)


def test_failure_that_follows_an_entry_is_the_participants(database: Database, evaluation: Evaluation) -> None:
    held = platform_failures(database, leases.MAX_ATTEMPTS - 1)
    assert held.is_last
    _fail(database, held, FailureKind.UNSTABLE, "broke again")
    row = evaluation_of(database, evaluation)
    assert (row.state, row.failure_kind) == (State.FAILED, FailureKind.UNSTABLE)
    assert "counts against your quota" in str(row.failure_message)


def test_one_unexplained_failure_beside_lost_leases_stays_ours(database: Database, evaluation: Evaluation) -> None:
    for _ in range(leases.MAX_ATTEMPTS - 1):
        held = claim(database)
        assert expire_and_sweep(database) == 1
        with database.write() as session:
            session.get_one(Shard, held.shard_id).available_at = utc_now() - LATER
    _fail(database, claim(database), FailureKind.UNSTABLE, "broke")
    row = evaluation_of(database, evaluation)
    assert (row.state, row.failure_kind) == (State.FAILED, FailureKind.PLATFORM)
    assert "does not count against your quota. Last reason: broke" in str(row.failure_message)
