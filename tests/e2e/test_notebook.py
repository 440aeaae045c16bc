"""Notebooks through the public doors: tried in a check phase, scored in another, refused where none are taken."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.cli.endings import Ending
from services.core.bundle import store as bundle_store
from services.core.bundle.directory import Bundle
from services.core.catalogue import METRICS
from services.core.models import Score
from services.core.settings import SandboxKind
from services.core.store.blobs import Blobs
from services.core.store.database import utc_now
from tests.faces import GOOD, SEEDS, notebook
from tests.installation import Installation

PHASE = {"seeds": SEEDS, "quota_per_day": 100, "benchmark": "faces-test", "notebooks": True, "references": False}


@pytest.fixture
def sandbox_kind(sandbox_image: str) -> SandboxKind:
    del sandbox_image
    return SandboxKind.DOCKER


@pytest.fixture
def contest(installation: Installation, faces: Bundle) -> Installation:
    """Add a benchmark for notebooks, a phase that tries them out, and one that scores them."""
    with installation.database.write() as session:
        blobs = Blobs.from_settings(installation.settings)
        bundle_store.publish(session, blobs, faces)
    closes = (utc_now() + timedelta(days=1)).isoformat()
    for slug, kind in (("check", "check"), ("dry", "check"), ("notebooks", "feedback"), ("hidden", "feedback")):
        choices = {"data_hidden": slug == "hidden", "rehearse": slug != "dry"}
        phase: dict[str, Any] = {"slug": slug, "kind": kind, "closes_at": closes, **PHASE, **choices}
        installation.client.post("/api/competitions/cup/phases", phase)
    return installation


@pytest.mark.timeout(900)  # six notebooks, one after the other
def test_notebook_is_checked_scored_or_told_why_not(contest: Installation, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.ipynb", tmp_path / "bad.ipynb"
    good.write_bytes(GOOD)
    bad.write_bytes(notebook("print('so far')", "1 / 0"))

    def submit(path: Path, phase: str) -> dict[str, Any]:
        answer = contest.lethe("submit", str(path), "-c", "cup", "-p", phase, "--wait", "--json", check=False)
        assert answer.stdout, answer.stderr
        result: dict[str, Any] = json.loads(answer.stdout)
        return result

    checked = submit(good, "check")
    assert (checked["state"], checked["score"], checked["kind"]) == ("checked", None, "notebook")
    assert (checked["checkpoints_written"], checked["seeds"], checked["seeds_done"]) == (2, 2, 0)
    assert checked["provenance"]["trial"] == "rehearsal"
    told = contest.lethe("status", checked["id"]).stdout
    assert "The notebook made 2 checkpoints and both can be measured." in told

    dry = submit(good, "dry")
    assert (dry["state"], dry["checkpoints_written"], dry["provenance"]["trial"]) == ("checked", 10, "dry run")

    scored = submit(good, "notebooks")
    assert (scored["state"], scored["seeds_done"]) == ("scored", SEEDS)
    assert scored["checkpoints_written"] == SEEDS
    assert scored["provenance"]["independence"] == "not enforced"
    assert scored["provenance"]["cuda"] == "none"
    assert scored["provenance"]["torch"]
    lethe_1 = next(score for score in scored["other_scores"] if score["metric"] == "lethe-1")
    assert "independence_not_enforced" in lethe_1["flags"]
    with contest.database.read() as session:
        assert [score.audit for score in session.query(Score)] == [None] * len(METRICS)
    executed = contest.client.get(f"/api/submissions/{scored['id']}/notebook")
    assert f"wrote {SEEDS}" in json.dumps(executed)

    unseen = submit(good, "hidden")
    assert (unseen["state"], unseen["checkpoints_written"]) == ("scored", 0)

    failed = submit(bad, "notebooks")
    assert (failed["state"], failed["failure"]["kind"]) == ("failed", "exception")
    assert "ZeroDivisionError" in failed["failure"]["message"]
    assert "so far" in json.dumps(contest.client.get(f"/api/submissions/{failed['id']}/notebook"))

    refused = contest.lethe("submit", str(good), "-c", "cup", "-p", "feedback", check=False)
    assert (refused.returncode, "does not accept notebooks" in refused.stderr) == (Ending.REFUSED, True)
    entries = contest.client.board("/api/competitions/cup/phases/notebooks/leaderboard")
    assert [entry["final_score"] for entry in entries] == [scored["score"]["final_score"]]
    assert contest.client.board("/api/competitions/cup/phases/check/leaderboard") == []
