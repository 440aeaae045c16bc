"""`lethe evaluate --environment`: an entry in another image than the worker's own, on a real engine."""

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.bundles import make_tiny_bundle
from tests.command import lethe
from tests.entries import NOISE

TELLS = "import sys, torch\nprint('by torch', torch.__version__, file=sys.stderr)\n"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny").root


def evaluate(root: Path, tiny: Path, source: str, environment: str, sandbox: str = "docker") -> CompletedProcess[str]:
    (root / "entry.py").write_text(source)
    options = ("--benchmark", str(tiny), "--seeds", "8", "--json", "--environment", environment)
    return lethe("evaluate", str(root / "entry.py"), *options, LETHE_DATA_DIR=str(root / "var"), LETHE_SANDBOX=sandbox)


@pytest.mark.usefixtures("old_image", "sandbox_image")
def test_an_entry_runs_in_the_environment_that_is_named_and_is_measured_in_our_own(tmp_path: Path, tiny: Path) -> None:
    done = evaluate(tmp_path, tiny, TELLS + NOISE, "kaggle-2023")
    result = json.loads(done.stdout)

    assert (done.returncode, result["state"]) == (0, "scored"), done.stderr
    assert "by torch 1.13.0" in result["printed"]
    assert result["provenance"]["environment"] == "kaggle-2023"
    assert result["provenance"]["torch"].startswith("1.13.0")
    assert not list((tmp_path / "var").glob("*.db"))


@pytest.mark.usefixtures("old_image", "sandbox_image")
def test_what_the_environment_lacks_is_told_before_any_run(tmp_path: Path, tiny: Path) -> None:
    done = evaluate(tmp_path, tiny, "import timm\n" + NOISE, "kaggle-2023")
    result = json.loads(done.stdout)

    assert (done.returncode, result["state"], result["failure"]["kind"]) == (1, "failed", "rejected")
    assert "imports `timm`, which is not in the environment `kaggle-2023`" in result["failure"]["message"]


@pytest.mark.parametrize(
    ("name", "sandbox", "says"),
    [
        ("kaggle-2023", "process", "Environments need Docker. Run `lethe setup --again`"),
        ("none", "docker", "There is no environment 'none' here. There are current, "),
    ],
)
def test_an_environment_that_cannot_be_had_is_refused_by_name(
    tmp_path: Path, tiny: Path, name: str, sandbox: str, says: str
) -> None:
    done = evaluate(tmp_path, tiny, NOISE, name, sandbox)

    assert done.returncode == 1
    assert says in done.stderr
