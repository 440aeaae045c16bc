"""A worker that hangs or dies is no longer called alive a minute after its last sign; one that stops leaves."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.core.models import WorkerRow
from services.core.queue.workers import FORGOTTEN_AFTER, GONE_AFTER, all_workers, is_gone, report
from services.core.store.database import Database, utc_now
from services.worker.heartbeat import BEAT_EVERY_S
from tests.core.conftest import database

__all__ = ["database"]

DEADLINE_S = 120.0


@pytest.fixture
def environment(tmp_path: Path, database_url: str) -> dict[str, str]:
    return os.environ | {
        "LETHE_DATA_DIR": str(tmp_path),
        "LETHE_DATABASE_URL": database_url,
        "LETHE_SANDBOX": "process",
    }


@pytest.fixture
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen(
        [sys.executable, "-m", "services.cli.main", "worker"], env=environment | {"LETHE_WORKER_SLOTS": "2"}
    )
    yield started
    with contextlib.suppress(ProcessLookupError):
        started.kill()
    started.wait()


def rows(database: Database) -> list[WorkerRow]:
    with database.read() as session:
        return all_workers(session)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def is_healthy(environment: dict[str, str]) -> bool:
    command = [sys.executable, "-m", "services.core.heartbeat", "worker"]
    return subprocess.run(command, env=environment, check=False).returncode == 0


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_a_worker_that_falls_silent_is_gone(
    database: Database, environment: dict[str, str], worker: subprocess.Popen[bytes], how: signal.Signals
) -> None:
    wait_for(lambda: rows(database))
    (first,) = rows(database)
    wait_for(lambda: rows(database)[0].seen_at > first.seen_at)  # an idle worker tells again
    assert (first.slots, first.slots_busy, first.device_classes[0][:3], is_gone(first)) == (2, 0, "cpu", False)
    assert first.free_disk_bytes > 0
    assert is_healthy(environment)

    worker.send_signal(how)
    time.sleep(0.5)  # a beat may be on its way
    (last,) = rows(database)
    time.sleep(2 * BEAT_EVERY_S)

    (silent,) = rows(database)
    assert silent.seen_at == last.seen_at
    assert is_gone(silent, last.seen_at + GONE_AFTER * 1.01)
    beaten = Path(environment["LETHE_DATA_DIR"]) / "cache" / "worker-heartbeat"
    a_minute_ago = time.time() - 61
    os.utime(beaten, (a_minute_ago, a_minute_ago))
    assert not is_healthy(environment)


def test_a_worker_that_is_asked_to_stop_leaves(
    database: Database, environment: dict[str, str], worker: subprocess.Popen[bytes]
) -> None:
    wait_for(lambda: rows(database))
    worker.terminate()
    worker.wait(DEADLINE_S)
    assert rows(database) == []
    assert not (Path(environment["LETHE_DATA_DIR"]) / "cache" / "worker-heartbeat").exists()


def test_workers_long_gone_are_forgotten(database: Database) -> None:
    def described(name: str) -> WorkerRow:
        return WorkerRow(
            name=name,
            slots=1,
            slots_busy=0,
            device_classes=["cpu"],
            sandbox="process",
            version="1",
            free_disk_bytes=1,
            started_at=utc_now(),
        )

    with database.write() as session:
        report(session, described("old"))
    with database.write() as session:
        session.get_one(WorkerRow, "old").seen_at -= FORGOTTEN_AFTER * 1.01
    with database.write() as session:
        report(session, described("new"))
    assert [row.name for row in rows(database)] == ["new"]
