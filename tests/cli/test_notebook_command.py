"""`lethe notebook run --rehearse`, as a participant runs it: what it prints, what it leaves, and its exit status."""

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from services.core.bundle.directory import Bundle
from tests.command import lethe
from tests.faces import GOOD, notebook


def run(root: Path, faces: Bundle, data: bytes, *options: str) -> CompletedProcess[str]:
    (root / "mine.ipynb").write_bytes(data)
    words = ("notebook", "run", str(root / "mine.ipynb"), "--benchmark", str(faces.root), *options)
    return lethe(*words, LETHE_DATA_DIR=str(root / "var"), LETHE_SANDBOX="docker")


@pytest.mark.timeout(900)  # the benchmark's models are trained first
@pytest.mark.usefixtures("sandbox_image")
def test_a_rehearsal_unlearns_twice_and_judges_both_checkpoints(tmp_path: Path, faces: Bundle) -> None:
    executed = tmp_path / "executed.ipynb"
    done = run(tmp_path, faces, GOOD, "--rehearse", "--executed", str(executed))

    assert done.returncode == 0, done.stderr
    assert done.stdout == "The notebook made 2 checkpoints and both can be measured.\n"
    assert "wrote 2" in done.stderr
    assert "wrote 2" in json.dumps(json.loads(executed.read_bytes())["cells"][1]["outputs"])
    assert not list((tmp_path / "var").glob("notebook-*"))


@pytest.mark.usefixtures("sandbox_image")
def test_a_rehearsal_that_unlearns_nothing_fails_with_the_reason(tmp_path: Path, faces: Bundle) -> None:
    done = run(tmp_path, faces, notebook("open('submission.zip', 'w').close()"), "--rehearse", "--json")
    result = json.loads(done.stdout)

    assert (done.returncode, result["state"], result["seeds"]) == (1, "failed", 2)
    assert "nothing was unlearned" in result["failure"]["message"]
    assert "score" not in result


def test_a_run_is_either_a_rehearsal_or_a_dry_run(tmp_path: Path, faces: Bundle) -> None:
    done = run(tmp_path, faces, GOOD, "--rehearse", "--dry-run")

    assert done.returncode == 1
    assert "Leave out --dry-run or --rehearse." in done.stderr
