"""`make gpu-check` on a machine without a GPU: everything runs on the CPU, and asking for CUDA fails in words."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benches.gpu_check.rows import Row, as_markdown, as_text

PARTS = ["device", "digits", "resnet18", "entry", "failures"]


def check(*options: str) -> tuple[int, list[dict[str, Any]]]:
    command = [sys.executable, "-m", "benches.gpu_check", "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout)
    assert answer["passed"] == (done.returncode == 0)
    return done.returncode, answer["rows"]


@pytest.mark.timeout(3600)  # two minutes on an idle machine of 2 cores; each part has a limit of its own
def test_every_part_runs_and_passes_on_a_cpu(tmp_path: Path) -> None:
    status, rows = check("--device", "cpu", "--small", "--patience", "5", "--out", str(tmp_path / "table.md"))
    assert status == 0, [row for row in rows if row["passed"] is False]
    assert list(dict.fromkeys(row["part"] for row in rows)) == PARTS
    found = {row["what"]: row["found"] for row in rows if row["passed"]}
    assert found["out_of_memory typed"].startswith("out_of_memory: ")
    assert found["timeout typed"].startswith("timeout: ")
    assert {"one step, grouped", "one step, unfolded", "digits built", "faces-resnet18-tiny built"} <= found.keys()
    assert "| entry | scores within each other's intervals |" in (tmp_path / "table.md").read_text()


def test_a_check_that_cannot_run_fails_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # hides the GPUs of a machine that has some
    status, rows = check("--device", "cuda", "--patience", "5")
    assert status == 1
    assert [row["part"] for row in rows if row["what"] == "not run"] == PARTS[1:]
    assert any("torch finds none" in row["found"] for row in rows)


def test_a_table_tells_what_did_not_pass() -> None:
    rows = [Row("device", "GPU", "NVIDIA H200", passed=True), Row("digits", "built", "no", "yes", passed=False)]
    assert as_text([*rows, Row("digits", "took", "3 s")]).splitlines() == [
        "device  GPU    NVIDIA H200       passed",
        "digits  built  no           yes  FAILED",
        "digits  took   3 s               told",
    ]
    assert as_markdown(rows, "Today:").splitlines()[-1] == "| digits | built | no | yes | FAILED |"
