"""What was measured reaches the database, also one that is away for a moment."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from services.core.bundle.measurements import Measurements
from services.core.models import Device, Evaluation, MeasurementRow
from services.core.queue import leases
from services.core.queue.leases import Lease, WorkerOffer
from services.core.store.blobs import Blobs
from services.core.store.database import Database, WriteSession
from services.worker.recording import record
from services.worker.station import SeedResult
from tests.core.conftest import database, evaluation

__all__ = ["database", "evaluation"]

READING = save({name: np.zeros(1) for name in Measurements.__slots__})
RESULTS = [SeedResult(index, 0.5, READING, "c" * 64, 10**9) for index in range(3)]


class Restarting(Database):
    """A database that commits, or does not, and drops the connection: so many times, then it works."""

    def __init__(self, real: Database, times: int, *, committed: bool) -> None:
        self.engine = real.engine
        self._times = times
        self._committed = committed

    @contextmanager
    def write(self) -> Iterator[WriteSession]:
        self._times -= 1
        if self._times < 0:
            with super().write() as session:
                yield session
            return
        with WriteSession(self.engine, expire_on_commit=False) as session:
            yield session
            if self._committed:
                session.commit()
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError("server closed the connection"))


@pytest.fixture
def held(database: Database, evaluation: Evaluation) -> Lease:
    with database.write() as session:
        found = leases.claim(session, WorkerOffer("w1", Device.CPU, "cpu", 2**40), lease_s=30)
    assert found is not None
    return found


@pytest.mark.parametrize("committed", [True, False], ids=["answer lost", "nothing written"])
def test_a_short_outage_loses_nothing_and_counts_nothing_twice(
    database: Database, held: Lease, tmp_path: Path, committed: bool
) -> None:
    away = Restarting(database, 2, committed=committed)
    record(away, Blobs.in_directory(tmp_path), held, iter(RESULTS), patience_s=30)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(MeasurementRow)) == 3
        assert session.get_one(Evaluation, held.evaluation_id).seeds_done == 3


def test_a_long_outage_ends_the_shard(database: Database, held: Lease, tmp_path: Path) -> None:
    away = Restarting(database, 1000, committed=False)
    with pytest.raises(OperationalError):
        record(away, Blobs.in_directory(tmp_path), held, iter(RESULTS), patience_s=0.6)
