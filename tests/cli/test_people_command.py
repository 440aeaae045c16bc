"""`lethe register`, `lethe competition people` and `lethe account` against a real server."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from services.cli.endings import Ending
from services.core.models import Role
from tests.api.harness import MODULE, add_phase, make_settings, running, serving
from tests.api.people import set_rules
from tests.command import lethe

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path, sqlite_url: str) -> Iterator[Run]:
    """Run a command as somebody, below `lethe competition people` unless it is another."""
    settings = make_settings(tmp_path, sqlite_url)
    with running(settings) as api, serving(settings) as served:
        callers = {"org": api.caller("org", Role.ORGANISER), "root": api.caller("root", Role.OPERATOR)}
        account = callers["org"].account
        assert account is not None
        with api.database.write() as session:
            add_phase(session, account)
        callers |= {name: api.caller(name) for name in ("ada", "eve")}

        def run(who: str, *words: str, status: int = 0) -> "CompletedProcess[str]":
            done = lethe(*words, LETHE_URL=served.url, LETHE_TOKEN=callers[who].token or "")
            assert done.returncode == status, done.stderr
            return done

        yield run


def people(run: Run, who: str, command: str, *words: str, status: int = 0) -> "CompletedProcess[str]":
    return run(who, "competition", "people", command, "cup", *words, status=status)


def test_an_owner_manages_members(run: Run) -> None:
    assert "eve is now an organiser of cup" in people(run, "org", "add", "eve", "--role", "organiser").stderr
    assert "ada is now a reviewer of cup" in people(run, "org", "add", "ada", "--role", "reviewer").stderr
    refused = people(run, "eve", "add", "ada", "--role", "organiser", status=Ending.REFUSED)
    assert "This requires the role owner in 'cup'; eve has the role organiser there." in refused.stderr
    people(run, "org", "remove", "ada")
    people(run, "org", "hand-over", "eve")
    people(run, "org", "leave")
    listed = json.loads(people(run, "eve", "list", "--json").stdout)
    assert [(one["username"], one["role"]) for one in listed] == [("eve", "owner")]
    stays = people(run, "eve", "leave", status=Ending.REFUSED)
    assert "lethe competition people hand-over cup USERNAME" in stays.stderr
    assert "owner" in people(run, "eve", "list").stdout


def test_a_submission_tells_the_command_that_registers(run: Run, tmp_path: Path) -> None:
    (tmp_path / "entry.py").write_bytes(MODULE)
    submit = ("submit", str(tmp_path / "entry.py"), "-c", "cup", "-p", "feedback")
    people(run, "org", "mode", "approval")
    assert "Run `lethe register cup`" in run("ada", *submit, status=Ending.REFUSED).stderr
    assert "once an organiser has approved you" in run("ada", "register", "cup").stderr
    run("eve", "register", "cup")
    assert "waits for an organiser" in run("ada", *submit, status=Ending.REFUSED).stderr
    assert "ada" in people(run, "org", "registrations", "--state", "waiting", "--search", "a").stdout

    people(run, "org", "approve", "ada")
    people(run, "org", "refuse", "eve", "--reason", "Not in this class.")

    assert "Submitted entry.py" in run("ada", *submit).stderr
    assert "Not in this class." in run("eve", *submit, status=Ending.REFUSED).stderr


def test_a_code_admits(run: Run) -> None:
    people(run, "org", "mode", "invitation")
    code = people(run, "org", "invite", "--name", "A class", "--uses", "2").stdout.strip()
    assert "lethe register cup --code CODE" in run("ada", "register", "cup", status=Ending.REFUSED).stderr
    assert "You are registered for cup" in run("ada", "register", "cup", "--code", code).stderr
    (listed,) = json.loads(people(run, "org", "invitations", "--json").stdout)
    assert (listed["name"], listed["used"], listed["uses"]) == ("A class", 1, 2)
    people(run, "org", "revoke", listed["id"])
    assert "bad_code" in run("eve", "register", "cup", "--code", code, status=Ending.REFUSED).stderr


def test_rules_are_printed_before_they_are_accepted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    version = set_rules(monkeypatch, "Be fair.")
    shown = run("ada", "register", "cup", status=Ending.FAILED)
    assert shown.stdout == "Be fair.\n"
    assert "--accept-rules" in shown.stderr
    accepted = json.loads(run("ada", "register", "cup", "--accept-rules", "--json").stdout)
    assert (accepted["state"], accepted["accepted_version"]) == ("accepted", version)
    assert "You are registered for cup" in run("ada", "register", "cup").stderr


def test_an_operator_changes_roles_on_the_platform(run: Run) -> None:
    create = ("competition", "create", "new", "--title", "New")
    assert "forbidden" in run("ada", *create, status=Ending.REFUSED).stderr
    run("root", "account", "role", "ada", "organiser")
    run("ada", *create)
    listed = json.loads(run("root", "account", "list", "--json").stdout)
    assert [one["username"] for one in listed] == ["ada", "org", "root"]
    run("root", "account", "role", "ada", "participant")
    assert "forbidden" in run("ada", *create, status=Ending.REFUSED).stderr
    assert "last_operator" in run("root", "account", "role", "root", "participant", status=Ending.REFUSED).stderr
    assert "forbidden" in run("ada", "account", "role", "eve", "operator", status=Ending.REFUSED).stderr
