"""Reference rows that the platform makes, and a matrix, by command and with real runs."""

import csv
import json
import time
from pathlib import Path
from typing import Any

from services.benchmarks.recipes import Recipe
from services.core.bundle import store as bundle_store
from services.core.store.blobs import Blobs
from tests.bundles import make_tiny_bundle
from tests.entries import NOISE
from tests.installation import Installation, phase_of

AT = ("-c", "cup", "-p", "trained")
PATIENCE_S = 300.0


def by_command(cup: Installation, *arguments: str) -> Any:
    return json.loads(cup.lethe(*arguments, "--json").stdout)


def when_ended(cup: Installation) -> dict[str, Any]:
    """Wait for the reference rows; return them by their kinds."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        found = by_command(cup, "phase", "references", *AT)
        if not found["waiting"] and {one["state"] for one in found["items"]} <= {"scored", "failed"}:
            return {one["reference"]: one for one in found["items"]}
        time.sleep(1.0)
    raise AssertionError(f"not done after {PATIENCE_S} s: {found}")


def test_rows_are_made_with_the_phase_and_entries_run_elsewhere(installation: Installation, tmp_path: Path) -> None:
    cup = installation
    trained = make_tiny_bundle(tmp_path / "trained", called="trained", recipe=Recipe(20, 16, 0.1))
    with cup.database.write() as session:
        bundle_store.publish(session, Blobs.from_settings(cup.settings), trained)
    phase = phase_of("trained", slug="trained", seeds=16, shard_seeds=16, references=True, seed_timeout_s=5)
    cup.client.post("/api/competitions/cup/phases", phase)
    path = tmp_path / "entry.py"
    path.write_text(NOISE)
    entry = by_command(cup, "submit", str(path), *AT, "--wait")

    rows = when_ended(cup)

    assert {name: one["state"] for name, one in rows.items()} == dict.fromkeys(rows, "scored")
    assert {name: one["epochs"] for name, one in rows.items()} == {
        "identity": 0,
        "retrain": 20,
        "retrain-50": 10,
        "retrain-20": 4,
        "retrain-10": 2,
        "retrain-5": 1,
    }
    board = cup.client.get("/api/competitions/cup/phases/trained/leaderboard")
    assert board["retraining_s"] == rows["retrain"]["run_s"]
    of_platform = [one for one in board["items"] if one["entry"] == "lethe"]
    assert {(one["reference"], one["rank"], one["unranked_reason"]) for one in of_platform} == {
        (name, None, "reference") for name in rows
    }

    ids = (entry["id"], rows["retrain"]["submission_id"])
    chosen = [option for one in ids for option in ("--entry", one)]
    on = ("--benchmark", "tiny", "--benchmark", "trained")
    made = by_command(cup, "matrix", "run", *AT, "--title", "Elsewhere", *chosen, *on, "--wait")

    assert {cell["state"] for one in made["items"] for cell in one["cells"]} == {"scored"}
    assert all(1 <= one["mean_low"] <= one["mean_rank"] <= one["mean_high"] <= 2 for one in made["items"])
    assert [one["id"] for one in by_command(cup, "matrix", "list", "-c", "cup")] == [made["id"]]
    assert "Elsewhere" in cup.lethe("matrix", "show", made["id"], "-c", "cup").stdout
    table = tmp_path / "table.csv"
    cup.lethe("matrix", "export", made["id"], str(table), "-c", "cup")
    assert len(list(csv.DictReader(table.read_text().splitlines()))) == 4
    after = cup.client.get("/api/competitions/cup/phases/trained/leaderboard")
    assert (after["total"], after["as_of"]) == (board["total"], board["as_of"])
    assert "nothing to cancel" in cup.lethe("matrix", "cancel", made["id"], "-c", "cup", check=False).stderr
