"""`lethe`: for participants, organisers and operators. Commands import what they need when they run."""

import sys
from collections.abc import Callable

import click
import typer

from services.cli import benchmarks, data, notebook, organiser
from services.cli.certify import certify
from services.cli.console import say
from services.cli.demo import demo
from services.cli.doctor import doctor
from services.cli.evaluate import evaluate
from services.cli.operator import api, migrate, operator, scorer, setup, up, worker
from services.cli.participant import cancel, compare, leaderboard, login, status, submit
from services.cli.rescoring import rescore
from services.cli.scoring import measurements, score
from services.core.errors import LetheError

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Competitions for machine unlearning: run them, take part in them, or evaluate an algorithm on your own.",
)
_COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    "Participants": (evaluate, score, certify, login, submit, status, cancel, compare, leaderboard),
    "Organisers": (rescore,),
    "Operators": (setup, demo, up, doctor, operator, measurements, migrate, api, worker, scorer),
}
for _panel, _functions in _COMMANDS.items():
    for _function in _functions:
        app.command(rich_help_panel=_panel)(_function)
for _name, _group in (
    ("benchmark", benchmarks.app),
    ("data", data.app),
    ("competition", organiser.competition_app),
    ("phase", organiser.phase_app),
):
    app.add_typer(_group, name=_name, rich_help_panel="Organisers")
app.add_typer(notebook.app, name="notebook", rich_help_panel="Participants")


def main() -> None:
    """Run a command. Errors that Lethe raises on purpose end in one line and status 1."""
    try:
        app()
    except LetheError as error:
        say(f"lethe: {error.message}")
        sys.exit(1)
    except click.Abort:
        sys.exit(130)


if __name__ == "__main__":
    main()
