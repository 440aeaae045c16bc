"""What scripts/backup takes for a backup. Compose is stood in for; test_compose.py backs up the real thing."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMPOSE = """#!/bin/sh
# exec -T SERVICE COMMAND...: commands run here, those of `api` as long as it runs
case "$3 $4" in
"postgres pg_dump") echo dump ;;
"api printenv") [ -n "$API_ANSWERS" ] && echo "$BLOBS" ;;
*) shift 3; [ "$API_ANSWERS" = always ] && "$@" ;;
esac
"""
TAR = "#!/bin/sh\necho blobs\nexit $TAR_STATUS\n"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    directory = tmp_path / "programs"
    directory.mkdir()
    for name, text in {"docker-compose": COMPOSE, "tar": TAR}.items():
        (directory / name).write_text(text)
        (directory / name).chmod(0o755)
    return directory


def back_up(
    programs: Path, target: Path, *, api_answers: str = "always", tar_status: int = 0, blobs: str = "file:///blobs"
) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "COMPOSE": "docker-compose",
        "API_ANSWERS": api_answers,
        "TAR_STATUS": str(tar_status),
        "BLOBS": blobs,
    }
    script = ROOT / "scripts" / "backup"
    return subprocess.run([script, target], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("tar_status", [0, 1])
def test_blobs_are_in_it_also_those_of_a_directory_that_grew(programs: Path, tmp_path: Path, tar_status: int) -> None:
    done = back_up(programs, tmp_path / "today", tar_status=tar_status)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "today" / "database.dump").read_text() == "dump\n"
    assert (tmp_path / "today" / "blobs.tar").read_text() == "blobs\n"


def test_blobs_of_another_store_are_said_to_be_missing(programs: Path, tmp_path: Path) -> None:
    done = back_up(programs, tmp_path / "today", blobs="s3://bucket")
    assert done.returncode == 0
    assert "in an S3 store" in done.stderr
    assert [path.name for path in (tmp_path / "today").iterdir()] == ["database.dump"]


def test_an_api_that_does_not_run_is_no_other_store(programs: Path, tmp_path: Path) -> None:
    done = back_up(programs, tmp_path / "today", api_answers="")
    assert done.returncode == 1
    assert "The api does not answer. Start it first." in done.stderr
    assert not list((tmp_path / "today").iterdir())


def test_an_api_that_ends_after_the_dump_leaves_no_empty_archive(programs: Path, tmp_path: Path) -> None:
    done = back_up(programs, tmp_path / "today", api_answers="once")
    assert done.returncode != 0
    assert not (tmp_path / "today" / "blobs.tar").exists()


def test_an_archive_that_tar_could_not_finish_is_none(programs: Path, tmp_path: Path) -> None:
    done = back_up(programs, tmp_path / "today", tar_status=2)
    assert done.returncode != 0
    assert not (tmp_path / "today" / "blobs.tar").exists()
