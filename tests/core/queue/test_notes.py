"""What is noted under a lease beside measurements, and what an older lease may not note."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from services.core.models import Device, Evaluation, Event
from services.core.queue import leases, notes
from services.core.queue.leases import Lease, LeaseLost, MeasuredSeed, WorkerOffer
from services.core.store.database import Database, WriteSession

MEASURED = [MeasuredSeed(seed=seed, blob="b" * 64, checkpoint_sha256="c" * 64, run_s=0.5) for seed in range(2)]


@pytest.fixture
def lease(database: Database, evaluation: Evaluation) -> Lease:
    with database.write() as session:
        found = leases.claim(session, WorkerOffer("w1", Device.CPU, "cpu-x86_64", 2**31), lease_s=30)
    assert found is not None and found.evaluation_id == evaluation.id
    return found


def noted(database: Database, lease: Lease) -> Evaluation:
    with database.read() as session:
        return session.get_one(Evaluation, lease.evaluation_id)


def test_checkpoints_of_a_notebook_are_told_before_any_is_measured_and_forgotten_with_its_try(
    database: Database, lease: Lease
) -> None:
    with database.write() as session:
        notes.note_written(session, lease, 5)
    with database.write() as session:
        leases.record(session, lease, MEASURED)
    with database.read() as session:
        progress = session.scalars(select(Event.payload).where(Event.kind == "progress").order_by(Event.sequence))
        told = [(payload.checkpoints_written, payload.seeds_done, payload.seeds) for payload in progress]
    assert told == [(5, 0, 8), (5, 2, 8)]
    with database.write() as session:
        notes.discard(session, lease)
    found = noted(database, lease)
    assert (found.checkpoints_written, found.seeds_done) == (0, 0)


def test_describing_again_without_a_notebook_keeps_the_one_there_is(database: Database, lease: Lease) -> None:
    with database.write() as session:
        notes.describe(session, lease, {"sandbox": "docker"}, "e" * 64)
    with database.write() as session:
        notes.describe(session, lease, {"sandbox": "process"})
    found = noted(database, lease)
    assert (found.provenance, found.executed_blob) == ({"sandbox": "process"}, "e" * 64)


@pytest.mark.parametrize(
    "note",
    [
        lambda session, lease: notes.note_written(session, lease, 6),
        notes.discard,
        lambda session, lease: notes.describe(session, lease, {"sandbox": "docker"}, "e" * 64),
        lambda session, lease: notes.keep_log(session, lease, "a" * 64),
    ],
    ids=["written", "discard", "describe", "log"],
)
def test_an_older_lease_notes_nothing(
    database: Database, lease: Lease, note: Callable[[WriteSession, Lease], None]
) -> None:
    with pytest.raises(LeaseLost), database.write() as session:
        note(session, replace(lease, fence=lease.fence - 1))
    found = noted(database, lease)
    assert (found.checkpoints_written, found.provenance, found.executed_blob, found.log_blob) == (0, {}, None, None)
