"""`lethe evaluate`, run as a user would: the JSON, the exit status, the words of an error."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from services.benchmarks.recipes import Recipe
from services.cli.endings import Ending
from services.worker.sandbox import process as sandbox_process
from tests import command
from tests.bundles import make_tiny_bundle

NOISE = """
import torch

def unlearning(net, retain_loader, forget_loader, val_loader):
    print("a print must not disturb the JSON")
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter))
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny").root


def environment(directory: Path) -> dict[str, str]:
    return {"LETHE_DATA_DIR": str(directory / "var"), "LETHE_SANDBOX": "process"}


def lethe(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return command.lethe_here(*arguments, **environment(directory))


def evaluate(directory: Path, tiny: Path, source: str, *options: str) -> tuple[int, dict[str, Any]]:
    (directory / "entry.py").write_text(source)
    done = lethe(directory, "evaluate", str(directory / "entry.py"), "--benchmark", str(tiny), "--json", *options)
    assert done.stdout, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, result


def test_good_module_is_scored(tmp_path: Path, tiny: Path) -> None:
    code, result = evaluate(tmp_path, tiny, NOISE, "--seeds", "32")
    assert (code, result["state"], result["seeds"], result["sandbox"]) == (0, "scored", 32, "process")
    score = result["score"]
    for name, interval in (("forgetting_quality", "forgetting_quality"), ("utility", "utility"), ("final_score", "ci")):
        assert score[f"{interval}_low"] <= score[name] <= score[f"{interval}_high"]
    assert result["wall_s"] > 0
    assert not list((tmp_path / "var").glob("evaluate-*"))


def test_identity_scores_zero_and_is_flagged(tmp_path: Path, tiny: Path) -> None:
    _, result = evaluate(tmp_path, tiny, "def unlearning(a, b, c, d): ...", "--seeds", "16")
    score = result["score"]
    assert (score["final_score"], score["ci_low"], score["ci_high"]) == (0.0, 0.0, 0.0)
    assert score["flags"] == ["too_few_distinct_models"]
    assert score["distinct_models"] == 1


def test_models_are_read_under_stress_on_a_benchmark_with_anchors(tmp_path: Path, tiny: Path) -> None:
    robust = make_tiny_bundle(tmp_path / "robust", robustness=True).root
    code, result = evaluate(tmp_path, robust, "def unlearning(a, b, c, d): ...", "--seeds", "8", "--robustness")
    columns = result["score"]["suites"]["robustness"]
    assert (code, columns["models_read"], columns["distance_to_original"]) == (0, 8.0, 0.0)
    refused = lethe(tmp_path, "evaluate", str(tmp_path / "entry.py"), "--benchmark", str(tiny), "--robustness")
    assert refused.returncode == 1 and "--robustness" in refused.stderr


def test_full_retraining_is_timed_beside_runs_where_the_benchmark_says_how_it_was_trained(
    tmp_path: Path, tiny: Path
) -> None:
    """An entry that does nothing costs less than full retraining; no model of that enters the score."""
    place = make_tiny_bundle(tmp_path / "trained", recipe=Recipe(40, 16, 0.1)).root
    code, result = evaluate(tmp_path, place, "def unlearning(a, b, c, d): ...", "--seeds", "8", "--cost")
    cost = result["score"]["cost"]
    assert (code, cost["trainer_runs"], cost["runs"], result["score"]["distinct_models"]) == (0, 2, 8, 1)
    assert cost["low"] <= cost["ratio"] <= cost["high"] and cost["run_s"] < cost["trainer_s"]

    without = evaluate(tmp_path, place, "def unlearning(a, b, c, d): ...", "--seeds", "8")[1]
    assert without["score"]["cost"] is None

    refused = lethe(tmp_path, "evaluate", str(tmp_path / "entry.py"), "--benchmark", str(tiny), "--cost")
    assert refused.returncode == 1 and "Leave out --cost." in refused.stderr


def test_placebo_runs_are_made_beside_the_others_where_the_benchmark_has_placebos(tmp_path: Path, tiny: Path) -> None:
    """An entry that changes nothing keeps all of a placebo; nothing of that enters score, time or count of runs."""
    place = make_tiny_bundle(tmp_path / "placebos", placebos=4).root
    own = evaluate(tmp_path, place, "def unlearning(a, b, c, d): ...", "--seeds", "8")[1]
    code, result = evaluate(tmp_path, place, "def unlearning(a, b, c, d): ...", "--seeds", "8", "--placebo-audit")
    columns = result["score"]["suites"]["placebo"]
    assert (code, columns["placebo_runs"], result["score"]["seeds"]) == (0, 8.0, 8)
    assert columns["follows_forget"] == pytest.approx(1) and columns["follows_test"] == pytest.approx(1)
    assert columns["memory"] is columns["harm"] is None  # originals drawn at random remember nothing
    assert "placebo" not in own["score"]["suites"]
    assert result["score"]["final_score"] == own["score"]["final_score"]
    refused = lethe(tmp_path, "evaluate", str(tmp_path / "entry.py"), "--benchmark", str(tiny), "--placebo-audit")
    assert refused.returncode == 1 and "no placebo audit is possible" in refused.stderr


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("def (", "rejected"),
        ("x = 1", "rejected"),
        ("def unlearning(net): ...", "rejected"),
        ("def unlearning(a, b, c, d): raise ValueError('why')", "exception"),
        ("import time\ndef unlearning(a, b, c, d): time.sleep(99)", "timeout"),
    ],
)
def test_bad_module_fails_with_its_kind_and_status_1(tmp_path: Path, tiny: Path, source: str, kind: str) -> None:
    code, result = evaluate(tmp_path, tiny, source, "--seeds", "8", "--timeout-s", "2")
    assert (code, result["state"], result["failure"]["kind"]) == (1, "failed", kind)
    assert result["failure"]["message"]


@pytest.mark.parametrize(
    ("arguments", "words", "ending"),
    [
        (["evaluate", "nothing.py"], "There is no file nothing.py", Ending.FAILED),
        (["benchmark", "inspect", "nothing"], "lethe benchmark build", Ending.FAILED),
        (["status", "x"], "lethe login", Ending.SIGNED_OUT),
    ],
)
def test_error_is_one_line_that_says_what_to_do(
    tmp_path: Path, arguments: list[str], words: str, ending: Ending
) -> None:
    done = command.lethe(*arguments, check=False, **environment(tmp_path))
    assert done.returncode == ending
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_more_seeds_than_the_oracle_has_is_refused(tmp_path: Path, tiny: Path) -> None:
    (tmp_path / "entry.py").write_text(NOISE)
    done = lethe(tmp_path, "evaluate", str(tmp_path / "entry.py"), "--benchmark", str(tiny), "--seeds", "65")
    assert done.returncode == 1
    assert "at most 64 runs" in " ".join(done.stderr.split())


def test_doctor_names_every_part(tmp_path: Path) -> None:
    done = lethe(tmp_path, "doctor", "--json")
    found = {finding["what"] for finding in json.loads(done.stdout)}
    assert {"machine", "docker", "gpu", "database", "redis", "disk"} <= found
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("name", "value", "part"), [("REDIS_URL", "redis://:hunter2@127.0.0.1:1/0", "redis"), ("GPUS_ONLY", "true", "gpu")]
)
def test_doctor_fails_where_what_is_set_is_missing_and_tells_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, part: str
) -> None:
    """As a container's health check its words lie open in what the engine tells of the container."""
    monkeypatch.setenv(f"LETHE_{name}", value)
    monkeypatch.setenv("PATH", str(tmp_path))  # no nvidia-smi
    done = lethe(tmp_path, "doctor", "--json")
    (finding,) = [finding for finding in json.loads(done.stdout) if finding["what"] == part]
    assert (done.returncode, finding["fine"], finding["needed"]) == (1, False, True)
    assert "hunter2" not in done.stdout


def test_every_command_has_help() -> None:
    done = command.lethe("--help")
    for name in (
        "up",
        "demo",
        "doctor",
        "login",
        "submit",
        "status",
        "leaderboard",
        "benchmark",
        "evaluate",
        "worker",
    ):
        assert name in done.stdout


PRINTING = NOISE.replace("a print must not disturb the JSON", "epoch 3 of 3: \\x1b[31mloss\\x1b[0m 0.25")


def test_what_the_runs_printed_is_shown(tmp_path: Path, tiny: Path) -> None:
    _, result = evaluate(tmp_path, tiny, PRINTING, "--seeds", "8")
    text = lethe(tmp_path, "evaluate", str(tmp_path / "entry.py"), "--benchmark", str(tiny), "--seeds", "8")

    assert result["printed"].count("epoch 3 of 3: loss 0.25") == 8
    assert "The runs printed, at the end:" in text.stderr
    assert "epoch 3 of 3: loss 0.25" in text.stderr
    assert "epoch" not in text.stdout


def test_what_the_runs_printed_is_shown_of_a_failure_too(tmp_path: Path, tiny: Path) -> None:
    source = "def unlearning(a, b, c, d):\n    print('before')\n    raise ValueError('\\ud800 \\0 \\xff')\n"
    code, result = evaluate(tmp_path, tiny, source, "--seeds", "8")

    assert (code, result["failure"]["kind"]) == (1, "exception")
    assert "ValueError: \N{REPLACEMENT CHARACTER} \N{REPLACEMENT CHARACTER} \xff" in result["failure"]["message"]
    assert "before" in result["printed"]


def test_mutual_recursion_is_told_by_both_its_ends(tmp_path: Path, tiny: Path) -> None:
    source = "def one(x): return two(x)\ndef two(x): return one(x)\ndef unlearning(a, b, c, d): one(0)\n"
    _, result = evaluate(tmp_path, tiny, source, "--seeds", "8")

    message = result["failure"]["message"]
    assert "in unlearning" in message and "characters omitted" in message
    assert message.rstrip().endswith("RecursionError: maximum recursion depth exceeded")
    assert message.startswith("Run ")


@pytest.mark.parametrize(("seeds", "count"), [("2", 1), ("7", 1), ("8", 0)])
def test_few_runs_are_said_to_say_nothing(tmp_path: Path, tiny: Path, seeds: str, count: int) -> None:
    _, result = evaluate(tmp_path, tiny, NOISE, "--seeds", seeds)
    text = lethe(tmp_path, "evaluate", str(tmp_path / "entry.py"), "--benchmark", str(tiny), "--seeds", seeds)

    assert len(result["warnings"]) == count
    assert text.stdout.count("Fewer than 8 runs say nothing about a score") == count
    assert not count or text.stdout.startswith("warning: ")


def test_calls_that_need_a_gpu_are_warned_of(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_gpu = tmp_path / "nvidia-smi"
    no_gpu.write_text("#!/bin/sh\nexit 9\n")
    no_gpu.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    _, result = evaluate(tmp_path, tiny, "def unlearning(net, b, c, d):\n    net.cuda()\n", "--seeds", "8")

    assert result["failure"]["kind"] == "exception"
    assert [warning.partition(" needs")[0] for warning in result["warnings"]] == ["entry.py, line 2: `.cuda()`"]


def test_a_callable_that_is_no_function_runs(tmp_path: Path, tiny: Path) -> None:
    source = NOISE.replace("def unlearning(", "def method(scale, ") + "\nimport functools\n"
    code, result = evaluate(tmp_path, tiny, source + "unlearning = functools.partial(method, 1.0)\n", "--seeds", "8")

    assert (code, result["state"]) == (0, "scored")


WORKERS = """
import os
from torch.utils.data import DataLoader

def unlearning(net, retain_loader, forget_loader, val_loader):
    print("temporary:", os.environ["TMPDIR"])
    assert sum(len(y) for _, y in DataLoader(retain_loader.dataset, 16, num_workers=2)) == len(retain_loader.dataset)
"""


def test_workers_of_a_loader_run_however_long_the_paths_are(tmp_path: Path, tiny: Path) -> None:
    """They send each other sockets, which lie in the temporary directory and whose paths the kernel bounds."""
    long = tmp_path / ("long" * 40)
    long.mkdir()
    (long / "entry.py").write_text(WORKERS)
    options = ("--benchmark", str(tiny), "--seeds", "1", "--timeout-s", "120", "--json")
    variables = environment(long) | {"TMPDIR": str(long)}
    done = command.lethe("evaluate", str(long / "entry.py"), *options, check=False, **variables)
    result = json.loads(done.stdout)

    assert (done.returncode, result["state"]) == (0, "scored"), result
    temporary = Path(result["printed"].partition("temporary: ")[2].strip())
    assert len(str(temporary)) < 80
    assert not temporary.parent.exists()


def test_paths_that_are_too_long_are_told_if_no_short_place_can_be_had(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("long" * 40)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.setattr(sandbox_process, "SHORT_PLACES", ("/proc",))
    (long / "entry.py").write_text(NOISE)
    done = lethe(long, "evaluate", str(long / "entry.py"), "--benchmark", str(tiny), "--seeds", "1")

    assert done.returncode == 1
    assert "too long for temporary files, and /proc cannot hold a link to it. Set LETHE_DATA_DIR" in done.stderr
