"""The main job, through the public doors: upload with the CLI, run, measure, score, board."""

import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy
import pytest
import torch

from services.cli.client import ServerProblem
from services.core.board.shown import FiguresForm, ScoreForm
from services.core.settings import SandboxKind
from tests.entries import NOISE, STILL
from tests.installation import Installation, fresh_cup, installation_of

__all__ = ["installation_of"]


@dataclass(frozen=True)
class Scored:
    """A competition with one entry, which was run and scored once for all tests that only look at it."""

    installation: Installation
    entry: dict[str, Any]


@pytest.fixture(scope="module")
def contest(
    installation_of: Callable[[SandboxKind], Installation], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scored]:
    with fresh_cup(installation_of(SandboxKind.PROCESS), seeds=64, shard_seeds=32) as opened:
        yield Scored(opened, opened.submit(NOISE, tmp_path_factory.mktemp("entry"), "--wait"))


def test_entry_goes_from_upload_to_leaderboard(contest: Scored) -> None:
    installation, scored = contest.installation, contest.entry
    assert scored["state"] == "scored"
    assert scored["seeds_done"] == 64
    assert scored["score"]["distinct_models"] == 64
    packages = scored["provenance"].pop("packages").split()
    assert {f"torch=={torch.__version__}", f"numpy=={numpy.__version__}"} <= set(packages)
    assert scored["provenance"] == {
        "environment": "current",
        "sandbox": "process",
        "self_test": "not run",
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
    assert [score["metric"] for score in scored["other_scores"]] == ["lethe-1", "lethe-2"]
    assert scored["score"]["suites"]["tug-of-war"]["tug_of_war"] is not None
    (entry,) = installation.client.board("/api/competitions/cup/phases/feedback/leaderboard")
    assert entry["rank"] == 1
    assert entry["final_score"] == scored["score"]["final_score"]
    assert entry["ci_low"] <= entry["final_score"] <= entry["ci_high"]
    assert entry["other_scores"]["lethe-1"]["final_score"] == scored["other_scores"][0]["final_score"]
    assert (entry["rank_best"], entry["rank_worst"], entry["tie_group"]) == (1, 1, 1)
    found = installation.client.get(f"/api/submissions/{scored['id']}/comparison", other=scored["id"])
    assert (found["difference"], found["separated"], found["p_better"]) == (0.0, False, 0.5)


def test_what_was_measured_scores_the_same_anywhere(contest: Scored, tmp_path: Path) -> None:
    """Stored measurements leave the installation as a file, and `lethe score` finds the board's number in them."""
    installation, scored = contest.installation, contest.entry
    stored = tmp_path / "stored.safetensors"
    installation.lethe("measurements", scored["id"], "--out", str(stored))
    oracle = installation.settings.data_dir.parent / "tiny"
    by_metric = {score["metric"]: score for score in (scored["score"], *scored["other_scores"])}
    for metric, kept in by_metric.items():
        options = ("--oracle", str(oracle), "--metric", metric, "--json")
        again = json.loads(installation.lethe("score", str(stored), *options).stdout)
        assert again.keys() & kept.keys() == set(ScoreForm.model_fields)
        figures = FiguresForm.model_fields.keys() - {"run_s"}  # which a file of measurements does not know
        assert {name: again[name] for name in figures} == {name: kept[name] for name in figures}
    unknown = installation.lethe("measurements", str(uuid4()), "--out", str(stored), check=False)
    assert (unknown.returncode, "has no measurements of submission" in unknown.stderr) == (1, True)


def test_entries_are_compared_and_alarms_listed_from_the_command_line(contest: Scored) -> None:
    installation, scored = contest.installation, contest.entry
    found = installation.lethe("compare", scored["id"], scored["id"])
    assert "difference +0.0000" in found.stdout
    assert "not separated: a tie" in found.stdout
    alarms = json.loads(installation.lethe("phase", "alarms", "-c", "cup", "-p", "feedback", "--json").stdout)
    assert {alarm["submission_id"] for alarm in alarms} <= {scored["id"]}


def test_identical_code_shares_one_evaluation_and_one_score(contest: Scored, tmp_path: Path) -> None:
    first = contest.entry
    again = contest.installation.submit(NOISE, tmp_path, "--wait")
    assert again["id"] != first["id"]
    assert again["evaluation_id"] == first["evaluation_id"]
    assert again["score"] == first["score"]


def test_failing_entry_fails_the_command_and_keeps_off_the_board(contest: Scored, tmp_path: Path) -> None:
    board = "/api/competitions/cup/phases/feedback/leaderboard"
    before = list(contest.installation.client.pages(board))
    failed = contest.installation.submit(
        "def unlearning(a, b, c, d):\n    raise ValueError('why')", tmp_path, "--wait", check=False
    )
    assert failed["state"] == "failed"
    assert failed["failure"]["kind"] == "exception"
    assert "ValueError: why" in failed["failure"]["message"]
    assert list(contest.installation.client.pages(board)) == before
    assert contest.installation.submit(STILL, tmp_path, "--wait")["state"] == "scored"


def test_upload_that_cannot_be_an_entry_is_refused_at_once(contest: Scored, tmp_path: Path) -> None:
    path = tmp_path / "entry.py"
    path.write_text("def unlearn(net): ...")
    with pytest.raises(ServerProblem, match="unlearning"):
        contest.installation.client.upload(
            "/api/competitions/cup/phases/feedback/submissions", path, filename="entry.py"
        )


@pytest.mark.usefixtures("sandbox_image")
class TestInDocker:
    @pytest.fixture
    def installation(self, installation_of: Callable[[SandboxKind], Installation]) -> Iterator[Installation]:
        """A competition of its own for every test, in an installation that they share."""
        with fresh_cup(installation_of(SandboxKind.DOCKER)) as opened:
            yield opened

    def test_entry_goes_from_upload_to_leaderboard(self, installation: Installation, tmp_path: Path) -> None:
        assert installation.submit(NOISE, tmp_path, "--wait")["state"] == "scored"

    def test_stranger_may_sign_up_and_compete(self, installation: Installation, tmp_path: Path) -> None:
        credentials = {"username": "newcomer", "password": "correct horse battery"}
        installation.client.post("/api/accounts", credentials)
        installation.token = installation.client.post("/api/sessions", credentials)["token"]
        scored = installation.submit(NOISE, tmp_path, "--wait")
        assert (scored["team"], scored["state"]) == ("newcomer", "scored")
