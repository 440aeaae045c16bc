"""A sealed final on two benchmarks by command, with real runs: selected, started, published, checked."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from services.core.bundle import store as bundle_store
from services.core.settings import SandboxKind
from services.core.store.blobs import Blobs
from services.core.store.database import utc_now
from tests.bundles import make_tiny_bundle
from tests.entries import NOISE, STILL
from tests.installation import Installation, fresh_cup, installation_of

__all__ = ["installation_of"]

FINAL = ("-c", "cup", "-p", "final")


@pytest.fixture
def cup(installation_of: Callable[[SandboxKind], Installation], tmp_path: Path) -> Iterator[Installation]:
    with fresh_cup(installation_of(SandboxKind.PROCESS)) as opened:
        yield opened


def by_command(cup: Installation, *arguments: str) -> Any:
    return json.loads(cup.lethe(*arguments, "--json").stdout)


def test_a_final_from_selection_to_proof(cup: Installation, tmp_path: Path) -> None:
    second = make_tiny_bundle(tmp_path / "second", oracle_seeds=72)
    with cup.database.write() as session:
        bundle_store.publish(session, Blobs.from_settings(cup.settings), second)
    first, other = make_tiny_bundle(tmp_path / "first").manifest.digest, second.manifest.digest
    for team in ("alpha", "beta"):
        cup.client.post("/api/teams", {"name": team})
    quiet = cup.submit(STILL, tmp_path, "--wait", "--team", "alpha")
    cup.submit(NOISE, tmp_path, "--wait", "--team", "alpha")
    cup.submit(STILL, tmp_path, "--wait", "--team", "beta")
    opens, closes = (utc_now() + timedelta(days=days) for days in (1, 2))
    window = ("--opens-at", opens.isoformat(), "--closes-at", closes.isoformat())
    options = ("--seeds", "16", "--benchmark", first, "--further-benchmark", other, *window)
    cup.lethe("phase", "create", "final", "-c", "cup", "--kind", "final", "--no-references", *options)

    shown = by_command(cup, "select", quiet["id"])
    assert (shown["by_default"], [one["submission_id"] for one in shown["entries"]]) == (False, [quiet["id"]])
    counted = by_command(cup, "final", "preview", *FINAL)
    assert (counted["teams"], counted["entries"], counted["runs"]) == (2, 2, 64)
    assert counted["hours"] is not None

    done = by_command(cup, "final", "start", *FINAL, "--wait")

    assert (done["entries"], done["states"], done["complete"]) == (4, {"scored": 4}, True)
    outside = httpx2.get(f"{cup.stack.url}/api/competitions/cup/phases/final-2/leaderboard")
    assert (outside.status_code, outside.json()["code"]) == (403, "board_sealed")
    early = cup.lethe("final", "check", *FINAL, check=False)
    assert (early.returncode, "revealed when" in early.stderr) == (1, True)

    cup.lethe("final", "publish", *FINAL)

    outside = httpx2.get(f"{cup.stack.url}/api/competitions/cup/phases/final-2/leaderboard")
    assert {one["entry"] for one in outside.json()["items"]} == {"alpha", "beta"}
    board = by_command(cup, "final", "board", *FINAL)
    assert [(one["team"], [place["phase"] for place in one["places"]]) for one in board]
    assert {one["team"] for one in board} == {"alpha", "beta"}
    listed = list(cup.client.pages("/api/competitions/cup/submissions", phase="final-2"))
    receipts = [str(tmp_path / f"{number}.json") for number, _ in enumerate(listed)]
    for entry, file in zip(listed, receipts, strict=True):
        cup.lethe("receipt", "get", entry["id"], file)
    assert "follow from the secret" in cup.lethe("final", "check", *FINAL, *receipts).stderr
    forged = json.loads(Path(receipts[0]).read_text())
    forged["statement"]["seed_key_sha256"] = "0" * 64
    Path(receipts[0]).write_text(json.dumps(forged))
    refused = cup.lethe("final", "check", *FINAL, *receipts, check=False)
    assert (refused.returncode, "do not follow" in refused.stderr) == (1, True)
