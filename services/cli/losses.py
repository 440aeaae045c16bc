"""`lethe losses`: where a submission loses, in the terminal."""

from typing import Annotated, Any

import typer

from services.cli.client import open_client
from services.cli.console import print_json, print_table
from services.cli.participant import Json, Url

__all__ = ["losses"]


def losses(
    submission: Annotated[str, typer.Argument(help="The id that `lethe submit` printed.")],
    most: Annotated[int, typer.Option(min=1, help="List at most so many examples.")] = 10,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show where a scored submission loses, and which forget examples are told apart most from retraining.

    Only in phases whose data are public.
    """
    found = open_client(url).get(f"/api/submissions/{submission}/losses")
    if as_json:
        print_json(found)
        return
    if found["sentence"]:
        typer.echo(found["sentence"])
    typer.echo(
        f"Points of a forget example: {_beside(found, 'quality', 3)} on average, over {found['total']} examples."
    )
    rows = [
        [str(one["label"]), str(one["examples"]), f"{one['quality']:.3f}", _number(one["retrained_quality"], 3)]
        for one in found["labels"]
    ]
    print_table(("label", "examples", "points", "of retraining"), rows, title="By label", words=())
    rows = [
        [
            *(str(one["example"]), str(one["label"]), f"{one['epsilon']:.2f}", _number(one["retrained_epsilon"], 2)),
            *(f"{one['quality']:.3f}", _number(one["retrained_quality"], 3)),
        ]
        for one in found["examples"][:most]
    ]
    headings = ("example", "label", "epsilon", "of retraining", "points", "of retraining")
    print_table(headings, rows, title="Told apart most", words=())


def _beside(found: dict[str, Any], name: str, digits: int) -> str:
    retrained = found[f"retrained_{name}"]
    beside = "" if retrained is None else f" (a retrained model's: {retrained:.{digits}f})"
    return f"{found[name]:.{digits}f}{beside}"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
