"""`.github/actions/submit`: its steps run with bash, as a runner of GitHub runs them, against a real server."""

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.cli.endings import Ending
from services.core.store.database import Database
from tests.api.harness import Served
from tests.cli.test_waiting import api, database, end, entry, served, settings, submissions, token
from tests.starting_kit.test_starting_kit import client_environment, copy_of_the_package

__all__ = ["api", "database", "entry", "served", "settings", "token"]  # fixtures

ACTION = Path(__file__).parents[2] / ".github" / "actions" / "submit" / "action.yml"
GIVEN = re.compile(r"\$\{\{ inputs\.(\w+) \}\}")


@pytest.fixture
def action() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(ACTION.read_text())
    return found


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What a runner sets: places for a job's files, and the action as it was checked out."""
    checkout = copy_of_the_package(tmp_path) / ".github" / "actions" / "submit"
    checkout.mkdir(parents=True)
    shutil.copy(ACTION, checkout)
    files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    yield client_environment(tmp_path) | files | {"RUNNER_TEMP": str(tmp_path), "GITHUB_ACTION_PATH": str(checkout)}


def run(step: dict[str, Any], inputs: dict[str, str], runner: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    given = {name: GIVEN.sub(lambda found: inputs[found[1]], value) for name, value in step["env"].items()}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env=runner | given,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def ending(database: Database, *, failed: bool) -> threading.Thread:
    """End the next submission as soon as it is there."""

    def wait() -> None:
        while not submissions(database):
            time.sleep(0.1)
        end(database, failed=failed)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def test_it_installs_submits_waits_and_summarises(
    action: dict[str, Any], runner: dict[str, str], served: Served, database: Database, token: str, entry: str
) -> None:
    inputs = {name: str(one.get("default", "")) for name, one in action["inputs"].items()}
    inputs |= {"url": served.url, "token": token, "file": entry, "competition": "cup", "phase": "feedback"}
    inputs |= {"name": 'first "try" $(id)', "note": "abc123"}
    install, submit = action["runs"]["steps"]

    assert "Successfully installed lethe-unlearning" in run(install, inputs, runner).stdout
    scoring = ending(database, failed=False)
    done = run(submit, inputs, runner)
    scoring.join()

    assert done.returncode == Ending.DONE, done.stderr
    (made,) = submissions(database)
    assert made.name == 'first "try" $(id)'
    assert Path(runner["GITHUB_OUTPUT"]).read_text() == f"submission={made.id}\nscore=0.05\n"
    summary = Path(runner["GITHUB_STEP_SUMMARY"]).read_text()
    assert summary.startswith('## Lethe: first "try" $\\(id\\) is scored')
    assert "| Score | **0.0500** by neurips-2023 |" in summary
    assert "| 95% interval | 0.0400 to 0.0600 |" in summary
    assert f"[Open the submission]({served.url}/submissions/{made.id})" in summary


def test_a_refusal_and_a_failure_fail_the_job(
    action: dict[str, Any], runner: dict[str, str], served: Served, database: Database, token: str, entry: str
) -> None:
    runner |= {"PYTHONPATH": str(ACTION.parents[3])}
    shim = Path(runner["RUNNER_TEMP"]) / "bin"
    shim.mkdir()
    (shim / "lethe").write_text('#!/bin/sh\nexec python -m services.cli.main "$@"\n')
    (shim / "lethe").chmod(0o755)
    runner["PATH"] = os.pathsep.join([str(shim), runner["PATH"]])
    inputs = {"url": served.url, "token": token, "file": entry, "name": "", "note": "", "package": ""}
    _, submit = action["runs"]["steps"]

    refused = run(submit, inputs | {"competition": "cup", "phase": "nope"}, runner)
    assert refused.returncode == Ending.REFUSED
    assert Path(runner["GITHUB_OUTPUT"]).read_text() == "submission=\nscore=\n"

    failing = ending(database, failed=True)
    failed = run(submit, inputs | {"competition": "cup", "phase": "feedback"}, runner)
    failing.join()
    assert failed.returncode == Ending.FAILED, failed.stderr
    assert "is failed" in Path(runner["GITHUB_STEP_SUMMARY"]).read_text()


def test_its_secrets_and_inputs_reach_the_shell_only_as_variables(action: dict[str, Any]) -> None:
    assert not any("${{" in step["run"] for step in action["runs"]["steps"])
