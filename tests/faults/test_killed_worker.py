"""Faults injected for real: processes killed in mid-evaluation, and what is left afterwards."""

import os
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from services.core.models import Evaluation, Event, MeasurementRow, State
from services.core.settings import SandboxKind
from tests.installation import Installation, phase_of

SLOW_NOISE = """
import time, torch

def unlearning(net, retain_loader, forget_loader, val_loader):
    time.sleep(0.15)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter))
"""
DEADLINE_S = 120.0


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
