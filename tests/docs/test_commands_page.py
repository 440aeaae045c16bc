"""docs/reference/commands.md has every command with every option, and no page names one that does not exist."""

import re
import shlex
from functools import cache
from typing import Any

import pytest
import typer.main

from services.cli.main import app
from tests.docs.pages import PAGES, ROOT, code_in, in_code, read, rows_of, sections_of

PLACEHOLDERS = {"COMMAND", "X", "..."}
OPTIONS_OF_ALL = {"--help"}


@cache
def commands() -> dict[str, Any]:
    """Every command by its words, such as `benchmark build`."""
    root = typer.main.get_command(app)
    return dict(_leaves(root, ()))


def _leaves(command: Any, words: tuple[str, ...]) -> list[tuple[str, Any]]:
    if not hasattr(command, "list_commands"):
        return [(" ".join(words), command)]
    context = command.context_class(command)
    inner = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
    return [leaf for name, one in inner for leaf in _leaves(one, (*words, name))]


def options_of(command: Any) -> set[str]:
    return {flag for option in command.params for flag in (*option.opts, *getattr(option, "secondary_opts", ()))}


def names_of(parameter: Any) -> list[str]:
    """What its row names: flags in order, the long ones first, or an argument in capitals."""
    if parameter.param_type_name == "argument":
        return [parameter.name.upper()]
    flags = [*parameter.opts, *parameter.secondary_opts]
    return sorted(flags, key=lambda flag: not flag.startswith("--"))


def default_of(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = getattr(parameter.default, "value", parameter.default)
    return "–" if value is None or value is False or value == "" else f"`{value}`"


def test_every_command_has_its_section_and_every_section_its_command() -> None:
    heads = sections_of(read("docs/reference/commands.md"))
    written = {head.strip("`").removeprefix("lethe ") for head in heads if head.startswith("`lethe ")}
    assert written == set(commands())


@pytest.mark.parametrize("name", commands())
def test_a_section_names_its_arguments_options_and_defaults(name: str) -> None:
    section = sections_of(read("docs/reference/commands.md"))[f"`lethe {name}`"]
    written = [(in_code(cells[0]), cells[1]) for cells in rows_of(section)]
    assert written == [(names_of(one), default_of(one)) for one in commands()[name].params]
    assert all(cells[2] for cells in rows_of(section))


@pytest.mark.parametrize("path", PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES])
def test_commands_that_a_page_names_exist_with_their_options(path: Any) -> None:
    for code in code_in(path.read_text()):
        for invocation in re.findall(r"(?:^|[\s/;(&])lethe ((?:[a-z]|COMMAND)[^`]*)", code):
            check(invocation)


def check(invocation: str) -> None:
    """Fail unless words and options of one invocation exist. Groups may stand alone, as in prose."""
    words = shlex.split(re.split(r"&&|[|;>]", invocation)[0], comments=True)
    plain = [word for word in words if not word.startswith("-")]
    if not plain or plain[0] in PLACEHOLDERS:
        return
    flags = {word.split("=")[0] for word in words if word.startswith("-")}
    for length in (3, 2, 1):
        if (name := " ".join(plain[:length])) in commands():
            assert flags <= options_of(commands()[name]) | OPTIONS_OF_ALL, invocation
            return
    groups = {
        " ".join(name.split(" ")[:length]) for name in commands() for length in (1, 2) if name.count(" ") >= length
    }
    assert " ".join(plain) in groups, f"there is no command `lethe {invocation}`"
