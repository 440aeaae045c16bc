"""`lethe account` against a real server: password, link, export, deletion."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from zipfile import ZipFile

import pytest
from sqlalchemy import update

from services.api.accounts.passwords import hash_password
from services.cli.endings import Ending
from services.core.models import Account, Role
from tests.api.harness import make_settings, running, serving
from tests.command import lethe

OLD, NEW = "correct horse battery", "another horse entirely"
Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path, sqlite_url: str) -> Iterator[Run]:
    """Run `lethe account` as somebody."""
    settings = make_settings(tmp_path, sqlite_url)
    with running(settings) as api, serving(settings) as served:
        callers = {"root": api.caller("root", Role.OPERATOR), "ada": api.caller("ada")}
        with api.database.write() as session:
            session.execute(update(Account).values(password_hash=hash_password(OLD)))

        def run(who: str, *words: str, status: int = 0) -> "CompletedProcess[str]":
            done = lethe("account", *words, LETHE_URL=served.url, LETHE_TOKEN=callers[who].token or "")
            assert done.returncode == status, done.stderr
            return done

        yield run


def test_an_account_is_lived_in_and_left(run: Run, tmp_path: Path) -> None:
    run("ada", "password", "--password", OLD, "--new-password", NEW)
    link = run("root", "reset", "ada").stdout.strip()
    assert "/reset-password#lethe_" in link
    assert "operator" in run("ada", "reset", "root", status=Ending.REFUSED).stderr

    run("ada", "export", str(tmp_path / "mine.zip"))
    with ZipFile(tmp_path / "mine.zip") as archive:
        assert json.loads(archive.read("account.json"))["account"]["username"] == "ada"

    assert "wrong" in run("ada", "delete", "--password", OLD, "--yes", status=Ending.REFUSED).stderr
    gone = run("ada", "delete", "--password", NEW, "--yes", "--json")
    assert json.loads(gone.stdout)["pseudonym"].startswith("deleted-")
    assert "your submissions" in gone.stderr
    assert "Log in again" in run("ada", "export", str(tmp_path / "again.zip"), status=Ending.SIGNED_OUT).stderr
    assert [one.name for one in tmp_path.iterdir() if "zip" in one.name] == ["mine.zip"]
