"""Drafts of metrics beside the board's: `--metric-file` of `lethe score` and `lethe evaluate`. No server runs them."""

import ast
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from services.core.bundle.directory import Bundle
from services.core.bundle.measurements import Measurements
from services.core.catalogue import METRICS
from tests import command
from tests.bundles import make_tiny_bundle
from tests.entries import NOISE

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/participant.md"
MEAN = "def metric(evidence):\n    return evidence.unlearned.test_accuracy.mean()\n"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


@pytest.fixture(scope="module")
def stored(tiny: Bundle) -> Path:
    path = tiny.root.parent / "stored.safetensors"
    oracle = tiny.oracle()
    save_file({name: np.ascontiguousarray(getattr(oracle, name)[::-1]) for name in Measurements.__slots__}, path)
    return path


def lethe(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"LETHE_DATA_DIR": str(root / "var"), "LETHE_SANDBOX": "process", "COLUMNS": "500"}
    return command.lethe_here(*arguments, **environment)


def scored(root: Path, stored: Path, tiny: Bundle, source: str, *options: str) -> subprocess.CompletedProcess[str]:
    (root / "mine.py").write_text(source)
    where = ("--oracle", str(tiny.root), "--metric-file", str(root / "mine.py"))
    return lethe(root, "score", str(stored), *where, *options)


def example() -> str:
    """Take the example out of the participant's guide."""
    section = GUIDE.read_text().partition("### Try a metric of your own")[2]
    found = re.search(r"```python\n(.+?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_of_the_guide_stands_beside_the_boards_metrics(tmp_path: Path, stored: Path, tiny: Bundle) -> None:
    found: dict[str, Any] = json.loads(scored(tmp_path, stored, tiny, example(), "--json").stdout)

    rows = {row["metric"]: row for row in found["beside"]}
    assert [name for name in rows if name in METRICS] == [name for name in METRICS if name in rows]
    assert rows["neurips-2023"]["value"] == found["final_score"]
    own = [name for name, row in rows.items() if row["own"]]
    assert own == ["mine: share within 1 sd", "mine: largest gap"]
    assert (rows[own[0]]["value"], rows[own[1]]["value"]) == pytest.approx((1.0, 0.0), abs=1e-6)  # the oracle itself
    table = scored(tmp_path, stored, tiny, example()).stdout
    assert "Your metrics beside the board's" in table and "mine: largest gap" in table


def test_a_single_number_has_the_files_name(tmp_path: Path, stored: Path, tiny: Bundle) -> None:
    found = json.loads(scored(tmp_path, stored, tiny, MEAN, "--json").stdout)
    (own,) = [row for row in found["beside"] if row["own"]]
    expected = (tiny.oracle().test_class == tiny.test_labels()).mean()
    assert (own["metric"], own["value"]) == ("mine", pytest.approx(expected))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x = 1", "defines no function metric(evidence)"),
        ("def metric(evidence): return 1 / 0", "mine.py raised ZeroDivisionError: division by zero (mine.py, line 1)"),
        ("import nothing_like_it", "mine.py raised ModuleNotFoundError"),
        ("def metric(evidence): return float('nan')", "returned nan. Return a finite number"),
        ("def metric(evidence): return {'a': 'b'}", "returned 'b' for 'a'"),
    ],
)
def test_a_draft_that_cannot_be_computed_says_why(
    tmp_path: Path, stored: Path, tiny: Bundle, source: str, says: str
) -> None:
    done = scored(tmp_path, stored, tiny, source)
    assert done.returncode == 1
    assert says in " ".join(done.stderr.split())


def test_it_needs_measurements_rather_than_arrays(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MEAN)
    for name in ("one", "two"):
        np.save(tmp_path / f"{name}.npy", np.zeros((4, 3)))
    arrays = ("--unlearned", str(tmp_path / "one.npy"), "--retrained", str(tmp_path / "two.npy"))
    done = lethe(tmp_path, "score", *arrays, "--metric-file", str(tmp_path / "mine.py"))
    assert (done.returncode, "needs a file of measurements" in done.stderr) == (1, True)


@pytest.mark.parametrize(("source", "own"), [(MEAN, 1), ("def metric(evidence): return 1 / 0", 0)])
def test_evaluate_computes_it_too_and_scores_although_it_fails(
    tmp_path: Path, tiny: Bundle, source: str, own: int
) -> None:
    (tmp_path / "entry.py").write_text(NOISE)
    (tmp_path / "mine.py").write_text(source)
    options = ("--benchmark", str(tiny.root), "--seeds", "8", "--json", "--metric-file", str(tmp_path / "mine.py"))
    found = json.loads(lethe(tmp_path, "evaluate", str(tmp_path / "entry.py"), *options).stdout)

    assert found["state"] == "scored"
    assert len([row for row in found.get("beside", []) if row["own"]]) == own
    assert len([warning for warning in found["warnings"] if "ZeroDivisionError" in warning]) == 1 - own


def test_no_server_can_import_a_draft() -> None:
    """Only the command imports the module that loads them, and no service imports the command (the layers)."""
    importers = {
        str(path.relative_to(ROOT / "services"))
        for path in (ROOT / "services").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "services.cli.drafts"
    }
    assert importers == {"cli/evaluate.py", "cli/scoring.py"}
