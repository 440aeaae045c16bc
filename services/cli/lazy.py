"""A group of commands that imports a command only when it is called, and none to list them."""

import copy
import importlib
from collections.abc import Iterator, Mapping
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from services.cli.commands import COMMANDS, Command
from services.core.distribution import NAME
from services.core.errors import Unavailable

__all__ = ["LazyGroup", "MissingExtra"]


class MissingExtra(Unavailable):
    """A command whose packages are not installed."""

    code = "missing_extra"


class _Group(TyperGroup):
    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False  # with no value at all, typer loads pydantic to find that the flag is not given
        return option


class LazyGroup(_Group):
    """The commands of `commands.py`."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes | {"commands": cast(Any, _Commands())})

    def list_commands(self, ctx: Any) -> list[str]:
        """List the commands in the order of the table."""
        return list(self.commands)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """List the commands with their lines in the table."""
        listing = copy.copy(self)
        listing.commands = {
            name: TyperCommand(name, help=command.help, rich_help_panel=command.panel)
            for name, command in COMMANDS.items()
        }
        super(LazyGroup, listing).format_help(ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        """Run a command. Raises MissingExtra if a package of its extra is not installed."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            command = COMMANDS.get(ctx.invoked_subcommand or "")
            missing = (error.name or "").partition(".")[0]
            if command is None or not command.extras or missing == "services":
                raise
            raise MissingExtra(
                f"`lethe {ctx.invoked_subcommand}` needs the package {missing}, which is not installed. "
                f"Run: pip install '{NAME}[{command.extras}]'"
            ) from error


class _Commands(Mapping[str, TyperCommand | TyperGroup]):
    """Commands by name, each imported when it is asked for."""

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        return _load(name, COMMANDS[name])

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


def _load(name: str, command: Command) -> TyperCommand | TyperGroup:
    module, _, attribute = command.place.partition(":")
    found = getattr(importlib.import_module(f"services.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        found.info.cls = _Group
        loaded: Any = get_group(found)
        loaded.name = name
    else:
        single = typer.Typer(add_completion=False)
        single.command(name)(found)
        loaded = get_command(single)
    loaded.rich_help_panel = command.panel
    return cast(TyperCommand | TyperGroup, loaded)
