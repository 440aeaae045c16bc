"""A third metric: `lethe score` and `lethe evaluate` score by it, once the catalogue and a function know it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner

from services.cli.main import app
from services.core.bundle.directory import Bundle
from services.core.bundle.measurements import Measurements
from tests.e2e.test_third_metric import QUALITY, SEEDS, TOY, bundle, toy

__all__ = ["bundle", "toy"]


def run(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*arguments, "--metric", TOY, "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.usefixtures("toy")
def test_the_command_scores_by_it(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LETHE_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("LETHE_SANDBOX", "process")
    entry, stored, report = (tmp_path / name for name in ("entry.py", "stored.safetensors", "report.html"))
    entry.write_text("def unlearning(net, retain_loader, forget_loader, val_loader): ...")

    oracle = bundle.oracle()
    save_file({name: np.ascontiguousarray(getattr(oracle, name)) for name in Measurements.__slots__}, stored)
    scored = run("score", str(stored), "--oracle", str(bundle.root), "--report", str(report))
    evaluated = run("evaluate", str(entry), "--benchmark", str(bundle.root), "--seeds", str(SEEDS))

    assert (scored["metric"], scored["forgetting_quality"]) == (TOY, QUALITY)
    assert evaluated["metric"] == TOY
    assert "this test" in report.read_text()
