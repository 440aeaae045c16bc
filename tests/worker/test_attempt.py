"""One claim carried through in a real sandbox: what an attempt leaves in the database, however it ends."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from services.core.bundle import store as bundle_store
from services.core.bundle.directory import Bundle
from services.core.models import (
    Account,
    Evaluation,
    Event,
    FailureKind,
    MeasurementRow,
    Shard,
    State,
    Submission,
    SubmissionKind,
    Team,
)
from services.core.queue import leases
from services.core.queue.leases import Lease, WorkerOffer
from services.core.queue.lifecycle import queue_evaluation
from services.core.settings import SandboxKind
from services.core.store.blobs import Blobs, BlobsUnavailable
from services.core.store.database import Database
from services.worker.attempt import Attempt
from services.worker.failures import RunFailed
from services.worker.resources import Resources
from services.worker.sandbox.base import SandboxUnavailable
from services.worker.sandbox.process import ProcessSandbox
from services.worker.slots import Slot, make_slots
from tests.api.harness import make_settings
from tests.core.conftest import add_phase, database

__all__ = ["database"]

TELLS = """
def unlearning(net, retain_loader, forget_loader, val_loader):
    print("loss 0.5")
"""
FAILS = TELLS + "    raise ValueError('no answer')\n"
SEEDS = 2
Claim = Callable[..., Attempt]


@pytest.fixture
def resources(database: Database, database_url: str, tmp_path: Path) -> Iterator[Resources]:
    settings = make_settings(tmp_path, database_url, sandbox=SandboxKind.PROCESS, worker_slots=1)
    found = Resources.open(settings, tmp_path / "work")
    yield found
    found.close()


@pytest.fixture
def claim(resources: Resources, bundle: Bundle) -> Claim:
    """Submit a module's source, and claim the one shard of its evaluation."""

    def claimed(source: str, **of_phase: Any) -> Attempt:
        blob = resources.blobs.put(source.encode())
        (slot,) = make_slots(resources.settings, resources.work)
        with resources.database.write() as session:
            phase = add_phase(session, seeds=SEEDS, shard_seeds=SEEDS)
            phase.benchmark = bundle_store.publish(session, resources.blobs, bundle)
            phase.seed_timeout_s = 60.0
            for name, value in of_phase.items():
                setattr(phase, name, value)
            session.flush()
            session.add(
                Submission(
                    phase_id=phase.id,
                    team_id=session.scalars(select(Team.id)).one(),
                    account_id=session.scalars(select(Account.id)).one(),
                    evaluation_id=queue_evaluation(session, phase, blob).id,
                    name="entry",
                    filename="entry.py",
                    kind=SubmissionKind.MODULE,
                    blob=blob,
                    size_bytes=len(source),
                )
            )
        return next_attempt(resources, slot)

    return claimed


def offer_of(resources: Resources, slot: Slot) -> WorkerOffer:
    return WorkerOffer(resources.worker, slot.device, slot.device_class, slot.memory_bytes)


def next_attempt(resources: Resources, slot: Slot) -> Attempt:
    with resources.database.write() as session:
        lease = leases.claim(session, offer_of(resources, slot), lease_s=60)
    assert lease is not None
    return Attempt(resources, slot, lease)


def evaluation_of(attempt: Attempt) -> Evaluation:
    with attempt.resources.database.read() as session:
        return session.get_one(Evaluation, attempt.lease.evaluation_id)


def measured(attempt: Attempt) -> int:
    with attempt.resources.database.read() as session:
        return session.scalars(select(func.count()).select_from(MeasurementRow)).one()


def test_a_good_module_is_measured_described_and_its_print_outs_are_kept(claim: Claim, resources: Resources) -> None:
    attempt = claim(TELLS)
    attempt.carry_through()

    found = evaluation_of(attempt)
    assert (found.state, measured(attempt)) == (State.MEASURED, SEEDS)
    assert found.provenance == resources.sandbox.provenance() | {"environment": "current"}
    assert found.log_blob is not None
    assert b"loss 0.5" in resources.blobs.get(found.log_blob)


def test_nothing_printed_is_kept_if_data_are_hidden(claim: Claim) -> None:
    attempt = claim(TELLS, data_hidden=True)
    attempt.carry_through()

    assert (evaluation_of(attempt).state, evaluation_of(attempt).log_blob) == (State.MEASURED, None)


def test_a_failing_module_ends_the_evaluation_and_what_it_printed_is_kept(claim: Claim, resources: Resources) -> None:
    attempt = claim(FAILS)
    attempt.carry_through()

    found = evaluation_of(attempt)
    assert (found.state, found.failure_kind) == (State.FAILED, FailureKind.EXCEPTION)
    assert "no answer" in str(found.failure_message)
    assert found.log_blob is not None
    assert b"loss 0.5" in resources.blobs.get(found.log_blob)


def test_a_worker_that_stops_gives_the_shard_back_and_it_costs_no_attempt(claim: Claim, resources: Resources) -> None:
    attempt = claim(TELLS)
    resources.stopping.set()
    attempt.carry_through()

    with resources.database.read() as session:
        shard = session.get_one(Shard, attempt.lease.shard_id)
        assert (shard.state, shard.attempt) == (State.QUEUED, 0)
    assert measured(attempt) == 0


def test_what_breaks_on_our_side_is_tried_again(claim: Claim, resources: Resources) -> None:
    attempt = claim(TELLS)
    digest = evaluation_of(attempt).code_sha256
    (resources.settings.data_dir / "blobs" / "sha256" / digest[:2] / digest[2:]).unlink()
    attempt.carry_through()

    with resources.database.read() as session:
        assert session.get_one(Shard, attempt.lease.shard_id).state is State.QUEUED
        events = session.scalars(select(Event.kind).order_by(Event.sequence)).all()
    assert events == ["queued", "running", "retried"]


def away(*_: object, **__: object) -> Any:
    raise SandboxUnavailable("No engine answers.")


def nowhere(*_: object) -> Any:
    raise BlobsUnavailable("The store does not answer.")


@pytest.mark.parametrize(
    "breaks",
    [(ProcessSandbox, "start", away), (Blobs, "get", nowhere), (Blobs, "put", nowhere)],
    ids=["engine", "reading", "writing"],
)
def test_a_place_that_breaks_costs_the_shard_no_attempt(
    claim: Claim, resources: Resources, monkeypatch: pytest.MonkeyPatch, breaks: tuple[type, str, Callable[..., Any]]
) -> None:
    attempt = claim(TELLS)
    with monkeypatch.context() as broken:
        broken.setattr(*breaks)
        attempt.carry_through()
    with resources.database.read() as session:
        shard = session.get_one(Shard, attempt.lease.shard_id)
        assert (shard.state, shard.attempt) == (State.QUEUED, 0)
        assert leases.claimable(session, offer_of(resources, attempt.slot)) is None, (
            "another worker would meet the same store at once"
        )
    assert evaluation_of(attempt).state is State.RUNNING


def test_what_breaks_where_no_engine_answers_costs_no_attempt(
    claim: Claim, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run whose container went with the engine, before we know why."""
    attempt = claim(TELLS)
    monkeypatch.setattr("services.worker.attempt.prepare", away_as_platform)
    attempt.carry_through()
    with resources.database.read() as session:
        assert session.get_one(Shard, attempt.lease.shard_id).attempt == 1
    monkeypatch.setattr(ProcessSandbox, "answers", lambda _: False)
    next_attempt(resources, attempt.slot).carry_through()
    with resources.database.read() as session:
        assert session.get_one(Shard, attempt.lease.shard_id).attempt == 1


def away_as_platform(*_: object) -> Any:
    raise RunFailed(FailureKind.PLATFORM, "The sandbox was ended from outside.")


def test_an_older_lease_writes_nothing(claim: Claim, resources: Resources) -> None:
    attempt = claim(TELLS)
    older: Lease = replace(attempt.lease, fence=attempt.lease.fence - 1)
    Attempt(resources, attempt.slot, older).carry_through()

    found = evaluation_of(attempt)
    assert (found.state, found.log_blob, found.provenance, measured(attempt)) == (State.RUNNING, None, {}, 0)


def test_a_run_that_needs_more_disk_than_is_free_is_our_failure(resources: Resources) -> None:
    with pytest.raises(RunFailed, match="GB of disk") as refused, resources.reserved(10**18):
        pass
    assert refused.value.kind is FailureKind.PLATFORM
    with resources.reserved(1):
        pass
