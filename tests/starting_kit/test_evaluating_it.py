"""The starting kit's module in the sandbox, by the command that its page names."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.bundles import make_tiny_bundle

ROOT = Path(__file__).parents[2]
KIT = ROOT / "starting_kit"


def test_module_is_evaluated_and_scored(tmp_path: Path) -> None:
    benchmark = make_tiny_bundle(tmp_path / "tiny").root
    command = ["evaluate", "my_unlearning.py", "--benchmark", str(benchmark), "--seeds", "16", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "services.cli.main", *command],
        cwd=KIT,
        env=os.environ | {"LETHE_DATA_DIR": str(tmp_path / "var"), "LETHE_SANDBOX": "process", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    result = json.loads(done.stdout)
    assert (done.returncode, result["state"], result["score"]["distinct_models"]) == (0, "scored", 16)
