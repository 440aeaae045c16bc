"""Judging by command, against a real server: an entry leaves the board and comes back; when a selection ends."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from services.cli.moments import moment
from services.core.models import Final, Role
from services.core.store.database import utc_now
from tests.api.finals import FINAL, make_final
from tests.api.harness import Api, Caller, add_phase, make_settings, running, serving
from tests.command import lethe

Run = Callable[..., str]


@pytest.fixture
def api(tmp_path: Path, sqlite_url: str) -> Iterator[Api]:
    with running(make_settings(tmp_path, sqlite_url)) as api:
        yield api


@pytest.fixture
def organiser(api: Api) -> Caller:
    return api.caller("organiser", Role.ORGANISER)


@pytest.fixture
def run(api: Api, organiser: Caller) -> Iterator[Run]:
    with serving(api.state.settings) as served:

        def run(*arguments: str) -> str:
            done = lethe(*arguments, LETHE_URL=served.url, LETHE_TOKEN=str(organiser.token))
            assert done.returncode == 0, done.stderr
            return done.stdout

        yield run


@pytest.fixture
def entry(api: Api, organiser: Caller) -> str:
    assert organiser.account is not None
    with api.database.write() as session:
        add_phase(session, organiser.account)
    return str(api.caller("ada").submit().json()["id"])


def test_a_list_says_why_an_entry_left_and_why_it_came_back(run: Run, entry: str) -> None:
    run("judge", "disqualify", "-c", "cup", "--reason", "Copied.", "--submission", entry)
    (row,) = json.loads(run("judge", "list", "-c", "cup", "--json"))
    assert "Copied." in run("judge", "list", "-c", "cup")
    run("judge", "reinstate", row["id"], "-c", "cup", "--reason", "It was theirs.")
    assert "Copied." not in run("judge", "list", "-c", "cup")
    assert "Copied. Reinstated: It was theirs." in run("judge", "list", "-c", "cup", "--all")


def test_a_final_says_when_the_selection_ends_and_when_it_ended(
    api: Api, run: Run, entry: str, organiser: Caller
) -> None:
    make_final(organiser)
    shown = organiser.get(FINAL).json()
    assert (shown["is_open"], moment(shown["closes_at"])) == (True, row_of(run, "selection ends"))
    started = utc_now()
    with api.database.write() as session:
        session.execute(update(Final).values(started_at=started))
    assert row_of(run, "selection ended") == row_of(run, "started") == moment(started.isoformat())


def row_of(run: Run, name: str) -> str:
    """Return the value of a row that `lethe final show` prints."""
    lines = run("final", "show", "-c", "cup", "-p", "final").splitlines()
    (found,) = [line for line in lines if line.strip("│ ").startswith(f"{name} ")]
    return found.strip("│ ").removeprefix(name).strip("│ ")
