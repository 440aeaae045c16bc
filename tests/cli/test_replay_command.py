"""`lethe replay` against a real server: an entry that failed there is run again here."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from uuid import UUID

import pytest

from services.cli.differences import Here, differences
from services.core.models import Role, State
from services.core.queue.lifecycle import fail, lock_evaluation, move
from services.core.store.database import Database
from services.worker import failures
from services.worker.failures import RunFailed, SandboxText, told
from tests.api.harness import add_account, add_phase, make_settings, running, serving
from tests.bundles import make_tiny_bundle
from tests.command import lethe
from tests.entries import NOISE

RAISES = (
    "def unlearning(net, retain, forget, val):\n    print('so far so good')\n    raise ValueError('why it failed')\n"
)
SLEEPS = "import time\ndef unlearning(net, retain, forget, val):\n    time.sleep(99)\n"
HIDES = {"data_hidden": True, "seed_timeout_s": 2.0}
Replay = Callable[..., CompletedProcess[str]]


@pytest.fixture
def replay(tmp_path: Path, sqlite_url: str) -> Iterator[Replay]:
    """Submit a module to a phase with hidden data, let it fail there as told, and run it again here."""
    database = Database(sqlite_url)
    with running(settings := make_settings(tmp_path, sqlite_url)) as api, serving(settings) as served:
        with database.write() as session:
            add_phase(session, add_account(session, "organiser", Role.ORGANISER), **HIDES)
        ada = api.caller("ada")
        assert ada.token is not None
        here = {"LETHE_DATA_DIR": str(tmp_path / "here"), "LETHE_SANDBOX": "process", "LETHE_WORKER_SLOTS": "1"}
        there = {"LETHE_URL": served.url, "LETHE_TOKEN": ada.token}

        def run(source: str, failure: RunFailed | None, *options: str) -> CompletedProcess[str]:
            submitted = ada.submit(source.encode()).json()
            if failure is not None:
                with database.write() as session:
                    evaluation = lock_evaluation(session, UUID(submitted["evaluation_id"]))
                    move(session, evaluation, State.RUNNING)
                    shown = told(failure, data_hidden=True)
                    fail(session, evaluation, shown.kind, shown.message)
            return lethe("replay", submitted["id"], *options, **here, **there)

        yield run
    database.dispose()


@pytest.fixture
def twin(tmp_path: Path) -> str:
    """A benchmark of the same name where `lethe` looks for it."""
    make_tiny_bundle(tmp_path / "here/benchmarks/tiny")
    return "tiny"


@pytest.mark.usefixtures("twin")
def test_a_failure_is_told_in_full_where_data_are_public(replay: Replay) -> None:
    done = replay(RAISES, failures.from_exit(2, 8, code=1, signal_number=None))

    assert done.returncode == 1
    assert "There: exception: Run 3 of 8 ended before it returned a model. This phase hides its data" in done.stdout
    assert "Here:  exception: Run 3 of 8 ended before it returned a model" in done.stdout
    assert "ValueError: why it failed" in done.stdout
    assert "It fails here as on the platform: exception." in done.stdout
    assert "so far so good" in done.stderr
    assert "benchmark: tiny (dddddddddddd) there, tiny (" in done.stdout
    assert "random seeds: secret there, drawn anew here" in done.stdout


@pytest.mark.usefixtures("twin")
def test_the_limits_are_those_of_the_phase(replay: Replay) -> None:
    done = replay(SLEEPS, failures.timeout(0, 8, 2.0), "--json")
    found = json.loads(done.stdout)

    assert (done.returncode, found["here"]["failure"]["kind"]) == (1, "timeout")
    assert found["here"]["failure"]["message"].startswith("Run 1 of 8 did not finish within 2 s")
    assert found["there"]["limits"]["seed_timeout_s"] == 2.0


@pytest.mark.usefixtures("twin")
def test_what_runs_here_says_what_may_be_the_cause(replay: Replay) -> None:
    done = replay(NOISE, failures.bad_checkpoint(5, 8, SandboxText("why")), "--seeds", "3")

    assert done.returncode == 0, done.stderr
    assert "Here:  3 runs went well" in done.stdout
    assert "It does not fail here in 3 runs." in done.stdout
    assert "runs: 8 there, 3 here" in done.stdout


def test_an_entry_that_has_not_failed_can_be_replayed_on_a_benchmark_of_ones_choice(
    replay: Replay, tmp_path: Path
) -> None:
    mine = make_tiny_bundle(tmp_path / "mine").root
    done = replay(NOISE, None, "--benchmark", str(mine), "--json")
    found = json.loads(done.stdout)

    assert (done.returncode, found["here"]["runs"], found["verdict"]) == (0, 8, "It runs here to its end.")


def test_a_benchmark_that_is_not_here_is_named_with_the_remedy(replay: Replay) -> None:
    done = replay(NOISE, None)

    assert done.returncode == 1
    assert "lethe benchmark build tiny" in " ".join(done.stderr.split())
    assert "--benchmark" in done.stderr


def test_what_is_the_same_or_unknown_is_no_difference() -> None:
    environment = {"name": "current", "device": "cpu", "sandbox": "", "digest": "a", "python": "3.11", "torch": "2.13"}
    there: dict[str, Any] = {
        "environment": environment,
        "benchmark": {"name": "digits", "digest": "d" * 64, "scenario": None},
        "limits": {"seeds": 8},
    }
    provenance = {"sandbox": "docker", "image_id": "a", "torch": "2.12"}
    here = Here("digits", "d" * 64, "current", "cpu", 8, provenance)

    found = [one["what"] for one in differences(there, here)]

    assert found == ["torch", "random seeds", "speed of the machine"]
