"""Faults injected for real: processes killed in mid-evaluation, and what is left afterwards."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container
from sqlalchemy import func, select

from services.core.bundle import store as bundle_store
from services.core.bundle.directory import Bundle
from services.core.models import Evaluation, Event, MeasurementRow, State
from services.core.settings import SandboxKind
from services.core.store.blobs import Blobs
from services.worker.backends import worker_name
from services.worker.sandbox.docker import LABEL_LEASE, LABEL_WORKER
from tests.entries import slow_noise
from tests.faces import NOISE, READ, SEEDS, ZIP, notebook
from tests.installation import Installation, phase_of

SLOW_NOISE = slow_noise(0.15)
DEADLINE_S = 240.0


def wait_until_running(installation: Installation, submission: str, seeds: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while installation.client.get(f"/api/submissions/{submission}")["seeds_done"] < seeds:
        assert time.monotonic() < deadline, "no seed was measured in time"
        time.sleep(0.1)


def wait_until(installation: Installation, submission: str, state: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while (found := installation.client.get(f"/api/submissions/{submission}")["state"]) != state:
        assert time.monotonic() < deadline, f"still {found}"
        installation.stack.restart_dead()
        time.sleep(0.2)


def wait_until_written(installation: Installation, submission: str, checkpoints: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while installation.client.get(f"/api/submissions/{submission}")["checkpoints_written"] < checkpoints:
        assert time.monotonic() < deadline, "the notebook wrote no checkpoint in time"
        time.sleep(0.2)


def assert_every_seed_counts_once(installation: Installation) -> None:
    with installation.database.read() as session:
        seeds = list(session.scalars(select(MeasurementRow.seed).order_by(MeasurementRow.seed)))
        evaluation = session.scalars(select(Evaluation)).one()
        progress = session.scalars(select(Event).where(Event.kind == "progress").order_by(Event.sequence)).all()
    assert seeds == list(range(64))
    assert evaluation.seeds_done == 64
    told = [event.payload.seeds_done or 0 for event in progress]
    assert told == sorted(set(told))


@pytest.mark.parametrize("sandbox_kind", list(SandboxKind))
class TestKilledWorker:
    @pytest.fixture(autouse=True)
    def _engine(self, sandbox_kind: SandboxKind, request: pytest.FixtureRequest) -> None:
        if sandbox_kind is SandboxKind.DOCKER:
            request.getfixturevalue("sandbox_image")

    def test_evaluation_finishes_after_a_restart_with_no_seed_counted_twice(
        self, installation: Installation, tmp_path: Path
    ) -> None:
        submission = installation.submit(SLOW_NOISE, tmp_path)["id"]
        wait_until_running(installation, submission, seeds=5)
        os.kill(installation.stack.pid("worker"), signal.SIGKILL)
        time.sleep(1)
        done = installation.client.get(f"/api/submissions/{submission}")["seeds_done"]
        assert 5 <= done < 64
        wait_until(installation, submission, "scored")
        assert_every_seed_counts_once(installation)
        with installation.database.read() as session:
            assert session.scalars(select(func.count()).where(Event.kind == "retried")).one() >= 1


@pytest.mark.usefixtures("sandbox_image")
@pytest.mark.parametrize("sandbox_kind", [SandboxKind.DOCKER])
def test_containers_killed_from_outside_cost_nobody_anything(
    installation: Installation, docker_engine: docker.DockerClient, tmp_path: Path
) -> None:
    """As by an operator's `docker kill`, or a host that is out of memory."""
    submission = installation.submit(slow_noise(0.4), tmp_path)["id"]
    name = worker_name(installation.settings.data_dir / "work")
    for is_measurer, seeds in ((False, 3), (True, 8), (False, 16), (True, 24)):
        wait_until_running(installation, submission, seeds)
        of_it = docker_engine.containers.list(filters={"label": f"{LABEL_WORKER}={name}"}, ignore_removed=True)
        for container in of_it:
            if container.labels[LABEL_LEASE].startswith("measurer-") is is_measurer:
                with contextlib.suppress(docker.errors.APIError):  # it ended a moment ago
                    container.kill()
    wait_until(installation, submission, "scored")
    assert_every_seed_counts_once(installation)


def kill(container: Container) -> None:
    container.kill()


def stop(container: Container) -> None:
    """Also after a signal by which a program could tidy up, which it ignores."""
    container.kill(signal="SIGTERM")
    time.sleep(1)
    container.stop(timeout=10)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("sandbox_image")
@pytest.mark.parametrize("sandbox_kind", [SandboxKind.DOCKER])
@pytest.mark.parametrize("end", [kill, stop])
def test_a_notebooks_container_ended_from_outside_costs_nobody_anything(
    installation: Installation,
    docker_engine: docker.DockerClient,
    faces: Bundle,
    tmp_path: Path,
    end: Callable[[Container], None],
) -> None:
    """While its cells run, after checkpoints were written; it begins again, and the quota counts one submission."""
    with installation.database.write() as session:
        bundle_store.publish(session, Blobs.from_settings(installation.settings), faces)
    phase = phase_of("faces-test", slug="notebooks", notebooks=True, seeds=SEEDS, quota_per_day=2)
    installation.client.post("/api/competitions/cup/phases", phase)
    file = tmp_path / "slow.ipynb"
    file.write_bytes(notebook(READ, NOISE, "import time; time.sleep(20)", ZIP))
    where = "/api/competitions/cup/phases/notebooks"
    submission = installation.client.upload(f"{where}/submissions", file, filename=file.name)["id"]
    wait_until_written(installation, submission, checkpoints=SEEDS)
    name = worker_name(installation.settings.data_dir / "work")
    for container in docker_engine.containers.list(filters={"label": f"{LABEL_WORKER}={name}"}, ignore_removed=True):
        if not container.labels[LABEL_LEASE].startswith("measurer-"):
            with contextlib.suppress(docker.errors.APIError):  # the worker has removed it meanwhile
                end(container)
    wait_until(installation, submission, "scored")
    with installation.database.read() as session:
        assert session.scalars(select(func.count()).where(Event.kind == "retried")).one() == 1
        assert session.scalars(select(MeasurementRow.seed).order_by(MeasurementRow.seed)).all() == list(range(SEEDS))
    assert installation.client.get(f"{where}/quota")["left"] == 1


def test_stopped_worker_gives_its_shards_back_at_no_cost(installation: Installation, tmp_path: Path) -> None:
    submission = installation.submit(SLOW_NOISE, tmp_path)["id"]
    wait_until_running(installation, submission, seeds=3)
    os.kill(installation.stack.pid("worker"), signal.SIGTERM)
    wait_until(installation, submission, "scored")
    assert_every_seed_counts_once(installation)
    with installation.database.read() as session:
        assert session.scalars(select(func.count()).where(Event.kind == "retried")).one() == 0


@pytest.fixture
def one_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LETHE_WORKER_SLOTS", "1")


@pytest.mark.usefixtures("one_slot")
def test_cancel_ends_the_sandbox(installation: Installation, tmp_path: Path) -> None:
    """Or the only slot would be taken for ever."""
    installation.client.post("/api/competitions/cup/phases", phase_of("tiny", slug="patient", seed_timeout_s=3600))
    source = "import threading\n\ndef unlearning(a, b, c, d):\n    threading.Event().wait()\n"
    submission = installation.submit(source, tmp_path, "-p", "patient")["id"]
    wait_until(installation, submission, "running")
    installation.lethe("cancel", submission)
    later = installation.submit(SLOW_NOISE, tmp_path, "--wait")
    assert later["state"] == "scored"
    with installation.database.read() as session:
        states = set(session.scalars(select(Evaluation.state)))
    assert states == {State.CANCELLED, State.MEASURED}


@pytest.mark.parametrize("part", ["scorer", "api"])
def test_killed_service_comes_back_and_nothing_is_lost(installation: Installation, tmp_path: Path, part: str) -> None:
    submission = installation.submit(SLOW_NOISE, tmp_path)["id"]
    wait_until_running(installation, submission, seeds=3)
    os.kill(installation.stack.pid(part), signal.SIGKILL)
    while part not in installation.stack.restart_dead():
        time.sleep(0.1)
    installation.stack.await_api()
    wait_until(installation, submission, "scored")
    assert_every_seed_counts_once(installation)
