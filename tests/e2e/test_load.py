"""The load test's short form: a few users, with nothing lost and no error of the server."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.timeout(600)
SHORT = (
    *("--users", "20", "--seconds", "15", "--upload-every", "60", "--entries", "300"),
    *("--streams", "40", "--first-runs", "1"),
)


@pytest.mark.usefixtures("postgres_url", "redis_url")
def test_the_short_form_loses_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benches.load", *SHORT, "--json"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    [stage] = found["stages"]
    answers = {one["name"]: one["answers"] for one in stage["asked"]}
    assert answers["board"] and answers["upload"]
    assert sum(one["errors"] for one in stage["asked"]) == stage["without_retry"] == stage["lost"] == 0
    assert stage["accepted"] == stage["scored"] == answers["upload"]
    assert (found["streams"]["streams"], found["streams"]["refused"]) == (40, 0)
    assert [one["doorbell"] for one in found["first_runs"]] == ["Redis", "inside the worker"]
