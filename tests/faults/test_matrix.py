"""A small fault matrix; the whole one is `make faults`."""

import json
import subprocess
import sys

import pytest

FAULTS = "worker killed,postgres killed,redis stopped,blobs away,scorer killed"


@pytest.mark.timeout(600)
def test_nothing_is_lost_counted_twice_or_failed_while_parts_break(postgres_url: str, redis_url: str) -> None:
    """The servers of the fixtures only show that servers can be had: the matrix kills its own."""
    del postgres_url, redis_url
    command = [sys.executable, "-m", "tests.faults.matrix", "--evaluations", "3", "--sandbox", "process", "--json"]
    done = subprocess.run([*command, "--faults", FAULTS], capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    wrong = {name: found[name] for name in ("lost", "failed", "counted_twice", "different")}
    assert wrong == {"lost": 0, "failed": [], "counted_twice": 0, "different": 0}, done.stderr
    assert sum(fault["times"] for fault in found["faults"].values()) >= 2, done.stderr
