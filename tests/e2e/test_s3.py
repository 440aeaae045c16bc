"""The main job with blobs in an S3-compatible store, which API, worker and scorer reach by its address alone."""

from pathlib import Path

import pytest
from sqlalchemy import select

from services.core.bundle.measurements import Measurements
from services.core.models import Evaluation, MeasurementRow
from services.core.settings import SandboxKind, Settings
from services.core.store.blobs import Blobs
from tests.entries import NOISE
from tests.installation import Installation


@pytest.fixture
def sandbox_kind(s3_blob_url: str, monkeypatch: pytest.MonkeyPatch) -> SandboxKind:
    """Before the installation is made: its settings and its processes then find the store in the environment."""
    monkeypatch.setenv("LETHE_BLOB_URL", s3_blob_url)
    return SandboxKind.PROCESS


def test_an_entry_is_scored_with_all_blobs_in_s3(installation: Installation, tmp_path: Path, seeds: int) -> None:
    scored = installation.submit(NOISE, tmp_path, "--wait")
    assert scored["state"] == "scored"
    assert not (installation.settings.data_dir / "blobs").exists()
    blobs = Blobs.from_settings(Settings())
    assert blobs.get(scored["sha256"]) == NOISE.encode()
    with installation.database.read() as session:
        rows = session.scalars(select(MeasurementRow)).all()
        assert len({row.seed for row in rows}) == len({row.blob for row in rows}) == seeds
        assert all(blobs.get(row.blob or "") for row in rows[:2])
        packed = session.scalars(select(Evaluation.measurements_blob)).one()
    assert len(Measurements.from_bytes(blobs.get(packed or ""))) == seeds
