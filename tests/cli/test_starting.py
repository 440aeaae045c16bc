"""The command starts at once: it imports nothing that it does not need. Imports are counted, not seconds."""

import inspect
import json
import os
import subprocess
import sys
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli.commands import COMMANDS
from services.cli.main import app

HELP = {"annotated_doc", "markdown_it", "mdurl", "pygments", "rich", "shellingham", "typer"}
ARGUMENTS = HELP | {"annotated_types", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection"}
HTTP = ARGUMENTS | {"anyio", "brotli", "certifi", "h11", "httpcore2", "httpx2", "idna", "sniffio", "truststore"}
NOWHERE = ("--competition", "digits", "--phase", "final", "--url", "http://127.0.0.1:9")
PROBLEM = ("--n", "1000", "--strong-convexity", "0.1", "--delta", "0.001")
CALLS = {
    "certify": (ARGUMENTS, ("--method", "d2d", *PROBLEM, "--steps", "9", "--sigma", "0.1")),
    "login": (HTTP, ("--url", "http://127.0.0.1:9", "--username", "u", "--password", "p")),
    "submit": (HTTP, (__file__, *NOWHERE)),
    "leaderboard": (HTTP, NOWHERE),
    "rescore": (HTTP, NOWHERE),
    "stability": (HTTP, NOWHERE),
}

# A process forks for each command, so that none sees what another imported, and no interpreter starts twice.
WATCH = """
import json, os, sys
import typer.rich_utils  # every child may have it

before = set(sys.modules)
from services.cli.main import app
from services.core.errors import LetheError

found = {}
for call in json.load(sys.stdin):
    reading, writing = os.pipe()
    if not os.fork():
        sys.stdout = sys.stderr = open(os.devnull, "w")
        try:
            app(call)
        except (SystemExit, LetheError) as end:
            ended = str(end)
        new = {name.partition(".")[0] for name in set(sys.modules) - before if name[0] != "_"}
        os.write(writing, json.dumps([ended, sorted(new - sys.stdlib_module_names - {"services"})]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        found[" ".join(call)] = json.load(told)
    os.wait()
json.dump(found, sys.stdout)
"""


def groups() -> dict[str, Any]:
    return {name: command for name, command in commands().items() if hasattr(command, "commands")}


def commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


EVERY = [(), *((name,) for name in COMMANDS)] + [
    (name, one) for name, group in groups().items() for one in group.commands
]


@pytest.fixture(scope="module")
def watched() -> dict[str, Any]:
    calls = [[*names, "--help"] for names in EVERY] + [[name, *given] for name, (_, given) in CALLS.items()]
    done = subprocess.run(
        [sys.executable, "-c", WATCH],
        input=json.dumps(calls),
        env=os.environ | {"LETHE_TOKEN": "token"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("names", EVERY, ids=" ".join)
def test_help_imports_what_draws_it_and_nothing_else(watched: dict[str, Any], names: tuple[str, ...]) -> None:
    ended, packages = watched[" ".join([*names, "--help"])]
    assert ended == "0"
    assert set(packages) <= HELP


@pytest.mark.parametrize("name", CALLS)
def test_a_call_imports_what_it_speaks_with_and_nothing_else(watched: dict[str, Any], name: str) -> None:
    allowed, given = CALLS[name]
    ended, packages = watched[" ".join([name, *given])]
    assert ended == "0" if name == "certify" else "http://127.0.0.1:9 does not answer" in ended
    assert set(packages) <= allowed


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_a_command_says_of_itself(name: str) -> None:
    command = commands()[name]
    assert COMMANDS[name].help == " ".join(inspect.cleandoc(command.help).split("\n\n")[0].split())


def test_the_list_is_complete_and_in_panels() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout
    for name, command in COMMANDS.items():
        assert f"│ {name} " in shown
        assert command.help in " ".join(shown.split())
    assert [shown.index(f"─ {panel} ─") for panel in ("Participants", "Organisers", "Operators")] == sorted(
        shown.index(f"─ {panel} ─") for panel in ("Participants", "Organisers", "Operators")
    )


def test_a_mistyped_command_is_told_its_neighbour() -> None:
    done = CliRunner().invoke(app, ["submt"])
    assert done.exit_code == 2
    assert "Did you mean 'submit'?" in done.stderr
