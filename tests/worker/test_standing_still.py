"""A sandbox that somebody pauses, freezes or stops: what stood still is not held against the entry."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import docker
import psutil
import pytest

from services.core.bundle.directory import Bundle
from services.core.models import FailureKind
from services.core.settings import SandboxKind, Settings
from services.core.submission.file import unpack
from services.worker.backends import make_sandbox
from services.worker.failures import RunFailed
from services.worker.kinds import Module
from services.worker.measurers import Measurers
from services.worker.sandbox.docker import LABEL_LEASE
from services.worker.seeds import derive_seeds
from services.worker.signs import LONGEST_STILL_S
from services.worker.slots import make_slots, stage_code
from services.worker.station import Station, Traces
from services.worker.supervisor import RunLimits
from services.worker.workplace import workplace
from tests.real_services import missing

GVISOR = "runsc"
PLACES = ("docker", "gvisor", "process")
everywhere = pytest.mark.parametrize("held", PLACES, indirect=True)  # the other tests wait long enough in one place
MEMORY_BYTES = 600 * 2**20
BEGUN = "begun"  # what an entry prints first
# Ends once it was held still itself.
WAITS = f"""
import time

def unlearning(*_):
    print({BEGUN!r}, flush=True)
    last = time.monotonic()
    while time.monotonic() - last < 5:
        last = time.monotonic()
        time.sleep(0.1)
"""
NEVER_ENDS = f"def unlearning(*_):\n    print({BEGUN!r}, flush=True)\n    while True: pass\n"
STARVES = f"""
import os

def unlearning(*_):
    print({BEGUN!r}, flush=True)
    for _ in range(200):
        if not os.fork():
            while True:
                bytearray(2**21)
    while True:
        bytearray(2**21)
"""


@dataclass
class Held:
    """Runs a submission in a place, and holds its sandbox still from its first print-out on."""

    name: str
    settings: Settings
    bundle: Bundle
    held: threading.Event = field(default_factory=threading.Event)

    def run(self, source: str, *, limit_s: float, still_s: float) -> int:
        """Return how many models came of it, of one seed. Raises RunFailed."""
        label = f"still-{os.getpid()}-{time.monotonic_ns()}"
        traces = Traces(on_log=self._on_begun(label, still_s))
        with workplace(self.settings.data_dir, "still") as work:
            (slot,) = make_slots(self.settings, work)
            unpack("entry.py", source.encode(), slot.submission)
            sandbox = make_sandbox(self.settings, work, stage_code(work))
            with closing(sandbox), closing(Measurers(sandbox)) as measurers:
                station = Station(sandbox, measurers, slot, self.bundle, label, lambda: False)
                kind = Module(RunLimits(1, limit_s, MEMORY_BYTES, data_hidden=False), derive_seeds(b"k" * 32, [0]))
                with closing(kind.run(station, traces)) as results:
                    return len(list(results))

    def _on_begun(self, label: str, still_s: float) -> Callable[[bytes], None]:
        def heard(data: bytes) -> None:
            if still_s and BEGUN.encode() in data:
                threading.Thread(target=self._hold, args=(label, still_s), daemon=True).start()

        return heard

    def _hold(self, label: str, still_s: float) -> None:
        with held_process() if self.name == "process" else held_container(label):
            self.held.set()
            time.sleep(still_s)


@contextmanager
def held_container(label: str) -> Iterator[None]:
    engine = docker.from_env()
    with closing(engine):
        (container,) = engine.containers.list(filters={"label": f"{LABEL_LEASE}={label}"})
        container.pause()
        yield
        if engine.containers.list(filters={"label": f"{LABEL_LEASE}={label}"}):
            container.unpause()


@contextmanager
def held_process() -> Iterator[None]:
    launchers = [
        process
        for process in psutil.Process().children(recursive=True)
        if "services.worker.runner.main" in process.cmdline()
    ]
    for process in launchers:
        process.send_signal(signal.SIGSTOP)
    yield
    for process in launchers:
        if process.is_running():
            process.send_signal(signal.SIGCONT)


@pytest.fixture
def held(request: pytest.FixtureRequest, bundle: Bundle, tmp_path: Path) -> Held:
    place = getattr(request, "param", "docker")
    settings = Settings(data_dir=tmp_path, sandbox=SandboxKind.PROCESS, worker_slots=1)
    if place != "process":
        image = request.getfixturevalue("sandbox_image")
        runtime = GVISOR if place == "gvisor" else ""
        if runtime and GVISOR not in request.getfixturevalue("docker_engine").info()["Runtimes"]:
            missing("gVisor as the Docker runtime runsc", "see scripts/ci-services")
        update = {"sandbox": SandboxKind.DOCKER, "sandbox_image": image, "sandbox_runtime": runtime}
        settings = settings.model_copy(update=update)
    return Held(place, settings, bundle)


@everywhere
def test_a_run_that_is_too_long_only_because_it_stood_still_is_not_at_fault(held: Held) -> None:
    with pytest.raises(RunFailed, match="stood still") as caught:
        held.run(WAITS, limit_s=20.0, still_s=25.0)
    assert held.held.is_set()
    assert caught.value.kind is FailureKind.PLATFORM


def test_a_run_that_stood_still_and_ends_in_time_counts(held: Held) -> None:
    assert held.run(WAITS, limit_s=60.0, still_s=8.0) == 1
    assert held.held.is_set()


def test_a_sandbox_that_stays_still_is_given_up(held: Held) -> None:
    began = time.monotonic()
    with pytest.raises(RunFailed, match="stood still") as caught:
        held.run(WAITS, limit_s=300.0, still_s=3 * LONGEST_STILL_S)
    assert caught.value.kind is FailureKind.PLATFORM
    assert time.monotonic() - began < 3 * LONGEST_STILL_S


@pytest.mark.parametrize("still_s", [0.0, 8.0])
def test_a_run_that_never_ends_is_at_fault_also_if_it_stood_still_meanwhile(held: Held, still_s: float) -> None:
    with pytest.raises(RunFailed) as caught:
        held.run(NEVER_ENDS, limit_s=10.0, still_s=still_s)
    assert caught.value.kind is FailureKind.TIMEOUT


def test_an_entry_cannot_make_the_launcher_look_still(held: Held) -> None:
    with pytest.raises(RunFailed) as caught:
        held.run(STARVES, limit_s=12.0, still_s=0.0)
    assert caught.value.kind in {FailureKind.TIMEOUT, FailureKind.OUT_OF_MEMORY}
