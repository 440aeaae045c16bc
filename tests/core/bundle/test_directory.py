import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sqlalchemy import func, select

from services.core.bundle import readings
from services.core.bundle import store as bundle_store
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import BadBundle, Manifest
from services.core.bundle.measurements import BadMeasurements, Measurements
from services.core.models import BenchmarkRow
from services.core.store.blobs import Blobs
from services.core.store.database import Database
from tests.bundles import make_tiny_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return make_tiny_bundle(tmp_path / "tiny", oracle_seeds=8)


def test_digest_is_the_hash_of_the_manifest(bundle: Bundle) -> None:
    data = (bundle.root / "manifest.json").read_bytes()
    assert bundle.manifest.digest == hashlib.sha256(data).hexdigest()
    assert Manifest.from_bytes(data) == bundle.manifest


@pytest.mark.parametrize("relative", ["public/retain.safetensors", "hidden/oracle.safetensors"])
def test_verify_catches_one_flipped_bit(bundle: Bundle, relative: str) -> None:
    bundle.verify()
    path = bundle.root / relative
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadBundle, match=relative):
        bundle.verify()


def test_missing_file_and_broken_manifest_say_so(bundle: Bundle) -> None:
    (bundle.root / "public/forget.safetensors").unlink()
    with pytest.raises(BadBundle, match="missing"):
        bundle.verify()
    (bundle.root / "manifest.json").write_text("{}")
    with pytest.raises(BadBundle, match="is invalid"):
        Bundle(bundle.root)
    with pytest.raises(BadBundle, match="lethe benchmark build"):
        Bundle(bundle.root / "public")


def test_published_bundle_comes_back_whole(database: Database, bundle: Bundle, tmp_path: Path) -> None:
    blobs = Blobs.in_directory(tmp_path / "blobs")
    for _ in range(2):
        with database.write() as session:
            bundle_store.publish(session, blobs, bundle)
    with database.read() as session:
        assert session.scalars(select(func.count()).select_from(BenchmarkRow)).one() == 1
        fetched = bundle_store.materialise(session, blobs, bundle.manifest.digest, tmp_path / "cache")
    assert fetched.manifest == bundle.manifest
    fetched.verify()


def test_many_slots_fetch_one_bundle_at_once_and_each_finds_it_whole(
    database: Database, bundle: Bundle, tmp_path: Path
) -> None:
    blobs = Blobs.in_directory(tmp_path / "blobs")
    with database.write() as session:
        bundle_store.publish(session, blobs, bundle)
    barrier = threading.Barrier(8)

    def fetch(_: int) -> None:
        barrier.wait()
        with database.read() as session:
            bundle_store.materialise(session, blobs, bundle.manifest.digest, tmp_path / "cache").verify()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fetch, range(8)))
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [bundle.manifest.digest]


def test_measurements_survive_a_round_trip_and_stack(bundle: Bundle) -> None:
    oracle = bundle.oracle()
    assert len(oracle) == 8
    assert Measurements.from_bytes(oracle.to_bytes()).to_bytes() == oracle.to_bytes()
    assert len(oracle.first(3)) == 3


def test_stack_names_the_reading_that_is_damaged() -> None:
    with pytest.raises(BadMeasurements, match="Reading 0"):
        Measurements.stack([b"garbage"])
    with pytest.raises(BadMeasurements, match="no readings"):
        Measurements.stack([])


LOGITS = hnp.arrays(np.float32, (5, 4), elements=st.floats(-50, 50, width=32))


@given(logits=LOGITS, labels=hnp.arrays(np.int64, 5, elements=st.integers(0, 3)))
def test_predictions_by_definition(logits: np.ndarray, labels: np.ndarray) -> None:
    found = readings.predictions(logits, labels)
    for row in range(5):
        others = [float(logits[row, c]) for c in range(4) if c != labels[row]]
        assert found["margin"][row] == pytest.approx(
            logits[row, labels[row]] - np.log(np.exp(others).sum()), rel=1e-6, abs=1e-6
        )
        p = np.exp(logits[row].astype(np.float64) - logits[row].max())
        p /= p.sum()
        entropy = -sum(value * np.log(value) for value in p if value > 0)
        assert found["entropy"][row] == pytest.approx(entropy, abs=2e-3)
        assert found["class"][row] == logits[row].argmax()


def test_predictions_of_the_largest_logits_are_finite() -> None:
    """Whoever submits a model chooses its logits; finite ones must not break what is computed from them."""
    most = np.finfo(np.float32).max
    found = readings.predictions(np.array([[most, -most, 0], [-most, most, most]], np.float32), np.array([0, 0]))
    assert found["margin"].tolist() == [most, -most]
    assert found["entropy"].tolist() == pytest.approx([0.0, np.log(2)], abs=1e-3)
    assert found["class"].tolist() == [0, 1]


def test_sketch_keeps_distances_and_hash_tells_any_change() -> None:
    random = np.random.default_rng(0)
    state = {"a": random.normal(size=(40, 30)).astype(np.float32), "b": random.normal(size=9).astype(np.float32)}
    moved = {name: (value + 0.1).astype(np.float32) for name, value in state.items()}
    distance = np.linalg.norm(readings.weight_sketch(state) - readings.weight_sketch(moved))
    assert distance == pytest.approx(np.sqrt(1209) * 0.1, rel=0.6)
    assert readings.checkpoint_sha256(state) == readings.checkpoint_sha256(dict(reversed(state.items())))
    assert readings.checkpoint_sha256(state) != readings.checkpoint_sha256(moved)
