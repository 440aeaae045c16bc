"""Two worker hosts on one Postgres, Redis and S3; one is cut off in the midst of its runs, and joined again."""

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import select

from services.core.models import Evaluation, MeasurementRow, Shard, State, WorkerRow
from services.core.settings import SandboxKind
from tests.entries import slow_noise
from tests.faults.hosts import Host, worker_host
from tests.installation import Installation, phase_of, running_installation
from tests.real_services import s3_environment, s3_server

pytestmark = pytest.mark.timeout(300)

LEASE_S = 4
ENTRIES, SEEDS, SHARD_SEEDS = 6, 12, 4
PATIENCE_S = 200
Found = TypeVar("Found")


@pytest.fixture
def hosts(
    tmp_path: Path, fresh_postgres_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Installation, list[Host]]]:
    """An installation whose own worker has ended, and two hosts with a worker each."""
    with s3_server() as s3_url:
        servers = {"LETHE_DATABASE_URL": fresh_postgres_url, "LETHE_REDIS_URL": redis_url, "AWS_ENDPOINT_URL": s3_url}
        settings = {
            "LETHE_BLOB_URL": f"s3://lethe/{uuid.uuid4().hex}",
            "LETHE_SANDBOX": SandboxKind.PROCESS.value,
            "LETHE_LEASE_S": str(LEASE_S),
            "LETHE_RENEW_EVERY_S": "0.5",
            "LETHE_SWEEP_EVERY_S": "1",
        }
        for name, value in (s3_environment(s3_url) | servers | settings).items():
            monkeypatch.setenv(name, value)
        with running_installation(tmp_path, SandboxKind.PROCESS) as running:
            os.kill(running.stack.pid("worker"), signal.SIGTERM)
            own = [tmp_path / name for name in ("one", "two")]
            for directory in own:
                directory.mkdir()
            with worker_host(1, own[0], servers) as one, worker_host(2, own[1], servers) as two:
                yield running, [one, two]


def test_a_host_that_is_cut_off_loses_and_doubles_nothing(
    hosts: tuple[Installation, list[Host]], tmp_path: Path
) -> None:
    running, [one, two] = hosts
    running.client.post("/api/competitions", {"slug": "cup", "title": "Cup"})
    running.client.post("/api/competitions/cup/phases", phase_of("tiny", seeds=SEEDS, shard_seeds=SHARD_SEEDS))
    for number in range(ENTRIES):
        running.submit(f"{slow_noise(0.3)}\nNUMBER = {number}\n", tmp_path)
    names = wait_for("runs on both hosts", lambda: busy(running) if len(busy(running)) == 2 else None)

    one.pull()
    held = wait_for("a shard that is taken from a host", lambda: [name for name in names if name not in busy(running)])
    time.sleep(LEASE_S)
    one.plug()
    joined = time.time()
    wait_for("a sign of life of both", lambda: signs_of_life(running, since=joined) >= set(names) or None)
    wait_for("an end", lambda: states(running) == {State.MEASURED} or None)

    assert len(held) == 1
    assert one.worker.poll() is two.worker.poll() is None
    with running.database.read() as session:
        seeds = session.execute(select(MeasurementRow.evaluation_id, MeasurementRow.seed)).all()
        assert len(seeds) == len(set(seeds)) == ENTRIES * SEEDS
        again = session.scalars(select(Shard).where(Shard.fence > 1)).all()
        assert again
    shown = [running.client.get(f"/api/submissions/{one['id']}") for one in running.client.pages("/api/submissions")]
    assert all(one["failure"] is None for one in shown)
    wait_for("every score", lambda: len(running.client.board("/api/competitions/cup/phases/feedback/leaderboard")))


def busy(running: Installation) -> set[str]:
    """Name the workers that hold a shard some of whose seeds are recorded or running."""
    with running.database.read() as session:
        held = select(Shard.worker).where(Shard.state == State.RUNNING, Shard.worker.is_not(None))
        return {str(name) for name in session.scalars(held)}


def signs_of_life(running: Installation, *, since: float) -> set[str]:
    with running.database.read() as session:
        return {row.name for row in session.scalars(select(WorkerRow)) if row.seen_at.timestamp() > since}


def states(running: Installation) -> set[State]:
    with running.database.read() as session:
        return set(session.scalars(select(Evaluation.state)))


def wait_for(what: str, look: Callable[[], Found | None]) -> Found:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what} did not come in {PATIENCE_S} s")
