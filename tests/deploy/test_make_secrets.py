"""scripts/make-secrets: files that nobody else on the host can reach, and that a second run keeps."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "make-secrets"


def make(directory: Path | str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LETHE_SECRETS": str(directory)}
    return subprocess.run([str(SCRIPT)], env=environment, capture_output=True, text=True, check=False)


def contents(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir()}


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_each_secret_is_another_one(tmp_path: Path) -> None:
    assert make(tmp_path / "secrets").returncode == 0
    made = contents(tmp_path / "secrets")
    drawn = [text for name, text in made.items() if not name.startswith(("blob-", "smtp-", "."))]
    assert len(drawn) == len(set(drawn)) == 6
    assert all(len(text) == 64 for text in drawn)


def test_an_open_directory_is_closed_and_its_secrets_are_kept(tmp_path: Path) -> None:
    directory = tmp_path / "secrets"
    make(directory)
    before = contents(directory)
    (directory / "redis-password").unlink()
    for path in (directory, directory / "secret-key"):
        path.chmod(0o777)
    assert make(directory).returncode == 0
    after = contents(directory)
    assert after.keys() == before.keys()
    assert after | {"redis-password": ""} == before | {"redis-password": ""}
    assert mode(directory) == 0o700
    assert {mode(path) for path in directory.iterdir()} == {0o644}  # containers read them as other users


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_link_in_place_of_the_directory_is_refused(tmp_path: Path, slash: str) -> None:
    other, link = tmp_path / "other", tmp_path / "secrets"
    other.mkdir(mode=0o755)
    link.symlink_to(other)
    done = make(f"{link}{slash}")
    assert done.returncode == 1
    assert "is a symbolic link" in done.stderr
    assert (mode(other), contents(other)) == (0o755, {})


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_in_place_of_a_secret_is_refused(tmp_path: Path, exists: bool) -> None:
    directory, other = tmp_path / "secrets", tmp_path / "other"
    directory.mkdir()
    if exists:
        other.write_text("somebody else's")
        other.chmod(0o600)
    (directory / "secret-key").symlink_to(other)
    done = make(directory)
    assert done.returncode == 1
    assert "is a symbolic link" in done.stderr
    assert other.exists() == exists
    assert not exists or (mode(other), other.read_text()) == (0o600, "somebody else's")
