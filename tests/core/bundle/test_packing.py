"""The readings of an evaluation: found in either form, packed once, removed late, and never lost."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from safetensors.numpy import load
from sqlalchemy import select, update

from services.core.bundle import packing
from services.core.bundle.directory import Bundle
from services.core.bundle.measurements import BadMeasurements, Measurements
from services.core.models import Device, Evaluation, MeasurementRow, Phase
from services.core.queue.leases import MeasuredSeed, WorkerOffer, claim, finish, record
from services.core.queue.lifecycle import queue_evaluation
from services.core.settings import Settings
from services.core.store.blobs import BlobMissing, Blobs
from services.core.store.database import Database, utc_now
from tests.bundles import make_tiny_bundle, oracle_as_measured
from tests.core.bundle.test_stress import reading
from tests.core.conftest import add_phase, database

__all__ = ["database"]

SEEDS = 8


class Killed(BaseException):
    """The process dies here."""


class Store:
    """A bundle, a blob store, and evaluations measured in it."""

    def __init__(self, database: Database, blobs: Blobs, root: Path) -> None:
        self.database, self.blobs = database, blobs
        self.bundle: Bundle = make_tiny_bundle(root / "bundle", oracle_seeds=SEEDS)
        with database.write() as session:
            add_phase(session, seeds=SEEDS, shard_seeds=SEEDS)

    def measure(self, *, signed: bool = True, to: int = SEEDS) -> UUID:
        with self.database.write() as session:
            evaluation_id = queue_evaluation(session, session.scalars(select(Phase)).one(), "c" * 64).id
        found = oracle_as_measured(self.bundle, self.blobs, range(to))
        if signed:
            found = [self.sign(one, evaluation_id) for one in found]
        with self.database.write() as session:
            held = claim(session, WorkerOffer("w1", Device.CPU, "cpu", 2**40), 60)
            assert held is not None
            record(session, held, found[::-1])
            if to == SEEDS:
                finish(session, held)
        return evaluation_id

    def sign(self, one: MeasuredSeed, evaluation_id: UUID) -> MeasuredSeed:
        blob = self.blobs.put(packing.own_reading(self.blobs.get(one.blob), evaluation_id, one.seed))
        return MeasuredSeed(one.seed, blob, one.checkpoint_sha256, one.run_s)

    def names(self, evaluation_id: UUID) -> list[str | None]:
        rows = select(MeasurementRow.blob).where(MeasurementRow.evaluation_id == evaluation_id)
        with self.database.read() as session:
            return list(session.scalars(rows.order_by(MeasurementRow.seed)))

    def readings(self, evaluation_id: UUID) -> packing.Readings:
        with self.database.read() as session:
            return packing.find_readings(session, evaluation_id)

    def check(self, evaluation_id: UUID, models: int | None = None) -> None:
        """Compare what a reader reads with what was measured."""
        found, expected = self.readings(evaluation_id).load(self.blobs, models), self.bundle.oracle().first(SEEDS)
        for name in Measurements.__slots__:
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name)[:models])

    def pack(self, evaluation_id: UUID) -> bool:
        return packing.pack(self.database, self.blobs, evaluation_id)

    def tidy(self, evaluation_id: UUID) -> None:
        packing.tidy(self.database, self.blobs, evaluation_id)

    def wait(self) -> None:
        """Let the time pass for which single readings are kept."""
        with self.database.write() as session:
            past = update(Evaluation).where(Evaluation.readings_until.is_not(None))
            session.execute(past.values(readings_until=utc_now() - timedelta(seconds=1)))

    def untidy(self) -> UUID | None:
        with self.database.read() as session:
            return packing.next_untidy(session)

    def is_there(self, name: str | None) -> bool:
        try:
            return bool(self.blobs.get(name or ""))
        except BlobMissing:
            return False


@pytest.fixture(params=["directory", "s3"])
def store(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Store:
    if request.param == "directory":
        return Store(database, Blobs.in_directory(tmp_path / "blobs"), tmp_path)
    return Store(database, Blobs.from_settings(Settings(blob_url=request.getfixturevalue("s3_blob_url"))), tmp_path)


@pytest.mark.parametrize("models", [None, 3])
def test_readings_are_the_same_in_either_form(store: Store, models: int | None) -> None:
    one = store.measure()
    store.check(one, models)
    assert store.untidy() == one
    assert store.pack(one)
    assert store.untidy() is None
    store.check(one, models)
    store.wait()
    assert store.untidy() == one
    names = store.names(one)
    store.tidy(one)
    store.check(one, models)
    assert store.names(one) == [None] * SEEDS
    assert not any(store.is_there(name) for name in names)
    assert store.untidy() is None


def test_packing_again_changes_nothing(store: Store) -> None:
    one = store.measure()
    assert [store.pack(one), store.pack(one)] == [True, False]
    before = store.readings(one)
    store.tidy(one)
    assert store.readings(one) == before
    assert all(store.is_there(name) for name in store.names(one))


def test_a_running_evaluation_is_not_packed(store: Store) -> None:
    one = store.measure(to=SEEDS - 1)
    assert not store.pack(one)
    assert store.untidy() is None
    assert len(store.readings(one).single) == SEEDS - 1


def test_killed_while_packing_nothing_is_lost_and_the_same_blob_is_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, written = store.measure(), []

    def die(data: bytes) -> str:
        written.append(Blobs.put(store.blobs, data))
        raise Killed

    monkeypatch.setattr(store.blobs, "put", die)
    with pytest.raises(Killed):
        store.pack(one)
    store.check(one)
    monkeypatch.undo()
    assert store.pack(one)
    assert [store.readings(one).packed] == written


@pytest.mark.parametrize("removed", [0, 3, SEEDS])
def test_killed_while_removing_nothing_is_lost_and_the_rest_goes_next_time(
    store: Store, monkeypatch: pytest.MonkeyPatch, removed: int
) -> None:
    one = store.measure()
    names = store.names(one)
    store.pack(one)
    store.wait()
    gone: list[str] = []

    def delete(name: str) -> None:
        if len(gone) == removed:
            raise Killed
        gone.append(name)
        Blobs.delete(store.blobs, name)

    with monkeypatch.context() as patch:
        patch.setattr(store.blobs, "delete", delete)
        if removed < SEEDS:
            with pytest.raises(Killed):
                store.tidy(one)
        else:
            patch.setattr(store.database, "write", lambda: (_ for _ in ()).throw(Killed))
            with pytest.raises(Killed):
                store.tidy(one)
    store.check(one)
    store.tidy(one)
    store.check(one)
    assert not any(store.is_there(name) for name in names)


def test_nothing_is_removed_unless_the_packed_blob_is_intact(store: Store) -> None:
    one = store.measure()
    store.pack(one)
    store.wait()
    packed = store.readings(one).packed
    assert packed is not None
    store.blobs.delete(packed)
    with pytest.raises(BlobMissing):
        store.tidy(one)
    assert all(store.is_there(name) for name in store.names(one))


def test_blobs_that_another_evaluation_names_stay_until_it_needs_them_no_more(store: Store) -> None:
    """As earlier versions wrote them: equal models of two entries were one blob."""
    one, other = store.measure(signed=False), store.measure(signed=False)
    names = store.names(one)
    assert names == store.names(other)
    store.pack(one)
    store.wait()
    store.tidy(one)
    store.check(one)
    store.check(other)
    store.pack(other)
    store.wait()
    store.tidy(other)
    store.check(other)
    assert not any(store.is_there(name) for name in names)


def test_equal_models_of_two_entries_are_two_blobs(store: Store) -> None:
    one, other = store.measure(), store.measure()
    assert not set(store.names(one)) & set(store.names(other))
    assert [store.pack(one), store.pack(other)] == [True, True]
    assert store.readings(one) == store.readings(other)


def test_a_damaged_reading_is_not_signed() -> None:
    with pytest.raises(BadMeasurements):
        packing.own_reading(b"damaged", UUID(int=1), 0)


def test_signing_changes_no_array(store: Store) -> None:
    (plain,) = oracle_as_measured(store.bundle, store.blobs, range(1))
    before = store.blobs.get(plain.blob)
    after = packing.own_reading(before, UUID(int=1), 0)
    assert after != before
    assert {name: array.tobytes() for name, array in load(after).items()} == {
        name: array.tobytes() for name, array in load(before).items()
    }


def test_stress_readings_are_packed_and_tidied_beside_the_others(store: Store) -> None:
    with store.database.write() as session:
        evaluation_id = queue_evaluation(session, session.scalars(select(Phase)).one(), "c" * 64).id
    measured = [store.sign(one, evaluation_id) for one in oracle_as_measured(store.bundle, store.blobs, range(SEEDS))]
    stressed = []  # without the last seed, which was measured before the stage was switched on
    for one in measured[:-1]:
        own = packing.own_stress_reading(reading(one.seed, relearned=True), evaluation_id, one.seed)
        stressed.append(replace(one, stress_blob=store.blobs.put(own)))
    with store.database.write() as session:
        held = claim(session, WorkerOffer("w1", Device.CPU, "cpu", 2**40), 60)
        assert held is not None
        record(session, held, [*stressed, measured[-1]])
        finish(session, held)
    single = store.readings(evaluation_id).load_stress(store.blobs)
    assert single is not None and single.seeds.tolist() == list(range(SEEDS - 1))
    store.pack(evaluation_id)
    store.wait()
    store.tidy(evaluation_id)
    packed = store.readings(evaluation_id).load_stress(store.blobs)
    assert packed is not None and packed.to_bytes() == single.to_bytes()
    assert not any(store.is_there(one.stress_blob) for one in stressed)
    store.check(evaluation_id)


def test_readings_of_placebo_runs_are_packed_and_tidied_beside_the_others(store: Store) -> None:
    with store.database.write() as session:
        evaluation_id = queue_evaluation(session, session.scalars(select(Phase)).one(), "c" * 64).id
    measured = [store.sign(one, evaluation_id) for one in oracle_as_measured(store.bundle, store.blobs, range(SEEDS))]
    audited = []  # equal to the models of other runs, as those of a deterministic entry may be
    for one in measured:
        blob = packing.own_placebo_reading(store.blobs.get(one.blob), evaluation_id, one.seed)
        audited.append(replace(one, placebo_blob=store.blobs.put(blob) if one.seed < 5 else None))
    assert not {one.placebo_blob for one in audited} & {one.blob for one in audited}
    with store.database.write() as session:
        held = claim(session, WorkerOffer("w1", Device.CPU, "cpu", 2**40), 60)
        assert held is not None
        record(session, held, audited[::-1])
        finish(session, held)
    store.pack(evaluation_id)
    store.wait()
    store.tidy(evaluation_id)
    store.check(evaluation_id)
    found = store.readings(evaluation_id).load_placebo(store.blobs)
    assert found is not None
    for name in Measurements.__slots__:
        np.testing.assert_array_equal(getattr(found, name), getattr(store.bundle.oracle().first(5), name))
    assert not any(one.placebo_blob and store.is_there(one.placebo_blob) for one in audited)
