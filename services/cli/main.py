"""`lethe`: for participants, organisers and operators. Commands import what they need when they run."""

import sys
from typing import Annotated

import typer

from services.cli.lazy import LazyGroup
from services.core.errors import LetheError

__all__ = ["app", "main"]

app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    help="Competitions for machine unlearning: run them, take part in them, or evaluate an algorithm on your own.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from services.core.distribution import installed_version

        typer.echo(installed_version())
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def main() -> None:
    """Run a command. Errors that Lethe raises on purpose end in one line, and in the status of `endings`."""
    try:
        app()
    except LetheError as error:
        from services.cli.console import say
        from services.cli.endings import ending_of

        say(f"lethe: {error.message}")
        sys.exit(ending_of(error))


if __name__ == "__main__":
    main()
