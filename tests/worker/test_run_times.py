"""The processor time of runs, and the platform's trainer beside them: what is counted, and what cannot be hidden."""

from collections.abc import Callable

import pytest

from services.core.bundle.directory import Bundle
from services.core.models import FailureKind
from services.core.settings import SandboxKind
from services.worker.failures import RunFailed
from services.worker.local import LocalRun
from services.worker.station import BesideTime, SeedTime
from services.worker.supervisor import RunLimits
from tests.worker.conftest import MEMORY_BYTES, WorkerIn

BURNS_S = 0.4
SEEDS, TIMEOUT_S = 4, 40.0
BURN = f"""
import time

def burn():
    since = time.thread_time()
    while time.thread_time() - since < {BURNS_S}:
        pass

"""
IDLES = "def unlearning(net, retain_loader, forget_loader, val_loader): ...\n"
SLEEPS = "import time\ndef unlearning(*_): time.sleep(0.6)\n"
BURNS = BURN + "def unlearning(*_): burn()\n"
IN_A_THREAD = """
import threading

def unlearning(*_):
    threads = [threading.Thread(target=burn) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
"""
IN_A_CHILD = """
import os

def unlearning(*_):
    if child := os.fork():
        os.waitpid(child, 0)
    else:
        burn()
        os._exit(0)
"""
NOBODY_WAITS = """
import os, signal

def unlearning(*_):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel then adds a child's times to nobody's
    if not (child := os.fork()):
        burn()
        os._exit(0)
    try:
        os.waitpid(child, 0)
    except ChildProcessError:
        pass
"""
ORPHAN = """
import os, time

def unlearning(*_):
    done, write = os.pipe()
    if not os.fork():
        if os.fork():
            os._exit(0)
        os.setsid()
        burn()
        os.write(write, b"x")
        time.sleep(60)
    os.read(done, 1)  # it is still running, and is killed with the cell
"""
STAYS = """
import os

def unlearning(*_):
    if not os.fork():
        os.setsid()
        while True:
            pass
"""
FAILS = "def unlearning(*_): raise ValueError('not here')\n"
GREEDY = "def unlearning(*_): bytearray(8 * 2**30)\n"
COUNTED = {"one thread": (BURNS, 1), "two threads": (BURN + IN_A_THREAD, 2), "a child": (BURN + IN_A_CHILD, 1)}
HIDDEN = {"a child nobody waits for": BURN + NOBODY_WAITS, "an orphan": BURN + ORPHAN}


Timed = Callable[..., LocalRun]


@pytest.fixture
def time_runs(bundle: Bundle, sandbox_kind: SandboxKind, worker_in: WorkerIn) -> Timed:
    def timed(source: str, *, trainer: str = "", trained: tuple[int, ...] = ()) -> LocalRun:
        limits = RunLimits(SEEDS, TIMEOUT_S, MEMORY_BYTES, data_hidden=False, trainer=trainer)
        return worker_in(sandbox_kind, 1).run(
            bundle, filename="entry.py", data=source.encode(), limits=limits, trained=trained
        )

    return timed


def cpu(of: SeedTime | BesideTime) -> float:
    assert of.cpu_s is not None
    return of.cpu_s


@pytest.mark.parametrize("way", COUNTED)
def test_processor_time_is_that_of_all_threads_and_processes(time_runs: Timed, way: str) -> None:
    source, times = COUNTED[way]
    for one in time_runs(source).times:
        assert cpu(one) >= times * BURNS_S


def test_waiting_costs_no_processor_time(time_runs: Timed) -> None:
    for one in time_runs(SLEEPS).times:
        assert one.run_s > 0.6 > BURNS_S > cpu(one)


@pytest.mark.parametrize("sandbox_kind", [SandboxKind.DOCKER], indirect=True)
@pytest.mark.parametrize("way", HIDDEN)
def test_no_process_of_a_cell_escapes_the_count(time_runs: Timed, way: str) -> None:
    for one in time_runs(HIDDEN[way]).times:
        assert cpu(one) >= BURNS_S


def test_the_trainer_is_timed_beside_the_runs_that_were_chosen_and_its_models_are_not_kept(
    time_runs: Timed,
) -> None:
    found = time_runs(IDLES, trainer=BURNS, trained=(1, 3))

    assert [one.trainer is not None for one in found.times] == [False, True, False, True]
    for one in found.times:
        assert cpu(one) < BURNS_S <= (cpu(one.trainer) if one.trainer else BURNS_S)
    assert len(found.measurements.checkpoint_sha256) == SEEDS


def test_what_an_entry_leaves_running_takes_nothing_from_the_trainer(time_runs: Timed) -> None:
    for one in time_runs(STAYS, trainer=IDLES, trained=tuple(range(SEEDS))).times:
        assert isinstance(one.trainer, BesideTime)
        assert cpu(one.trainer) < BURNS_S


@pytest.mark.parametrize("trainer", [FAILS, GREEDY, SLEEPS.replace("0.6", "60")], ids=["fails", "greedy", "slow"])
def test_an_entry_is_measured_without_a_trainer_that_fails(
    time_runs: Timed, monkeypatch: pytest.MonkeyPatch, trainer: str
) -> None:
    monkeypatch.setattr("services.worker.supervisor.PATIENCE", 0.25 if "60" in trainer else 20)

    found = time_runs(IDLES, trainer=trainer, trained=(0, 2))

    assert [one.trainer for one in found.times] == [None] * SEEDS


def test_memory_that_the_trainer_lacked_is_not_held_against_the_entry(time_runs: Timed) -> None:
    with pytest.raises(RunFailed) as failed:
        time_runs(FAILS, trainer=GREEDY, trained=tuple(range(SEEDS)))
    assert failed.value.kind is FailureKind.EXCEPTION
