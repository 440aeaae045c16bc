"""Telling how a submission did: in the terminal, as JSON, and as Markdown for a CI job."""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.client import Client, open_client
from services.cli.console import print_json, require_place
from services.cli.endings import Ending
from services.cli.participant import Json, Url
from services.cli.patience import Patience
from services.cli.places import place_in_words
from services.cli.summary import standing_of, write_summary
from services.cli.watching import follow, goes_on

__all__ = ["GiveUp", "finish", "status", "watch_one"]

GiveUp = Annotated[
    float | None,
    typer.Option(
        "--give-up-after",
        min=0,
        help="Give up if the server does not answer for so many seconds. Default: never while waiting.",
    ),
]


def status(
    submission: Annotated[str, typer.Argument(help="The id that `lethe submit` printed.")],
    watch: Annotated[bool, typer.Option("--watch", help="Follow it until it ends, as `lethe submit --wait`.")] = False,
    give_up_after: GiveUp = None,
    summary: Annotated[Path | None, typer.Option(help="Append the result as Markdown to this file.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show the state of a submission and, once it has ended, its score or failure."""
    require_place(summary)
    client = open_client(url)
    shown = client.get(f"/api/submissions/{submission}")
    if watch:
        finish(client, watch_one(client, shown["id"], Patience(give_up_after)), summary, as_json)
    else:
        _tell(client, shown, summary, as_json)


def watch_one(client: Client, submission: str, patience: Patience) -> dict[str, Any]:
    """Follow a submission until it ends; Ctrl-C ends the watching alone."""
    with goes_on(submission):
        shown: dict[str, Any] = follow(client, [submission], patience=patience)[0]
    return shown


def finish(client: Client, submission: dict[str, Any], summary: Path | None, as_json: bool) -> None:
    """Tell how a submission did, and end with the status of one that failed if it did."""
    _tell(client, submission, summary, as_json)
    if submission["ended"] and not submission["succeeded"]:
        raise typer.Exit(Ending.FAILED)


def _tell(client: Client, submission: dict[str, Any], summary: Path | None, as_json: bool) -> None:
    standing = None if as_json and summary is None else standing_of(client, submission)
    _show(submission, standing, as_json)
    if summary is not None:
        write_summary(summary, client.url, submission, standing)


def _show(submission: dict[str, Any], standing: dict[str, Any] | None, as_json: bool) -> None:
    if as_json:
        print_json(submission)
        return
    written = f", {submission['checkpoints_written']} checkpoints written" if submission["checkpoints_written"] else ""
    done = f"{submission['seeds_done']} of {submission['seeds']} runs"
    typer.echo(f"{submission['name']}: {submission['state']}, {done}{written}")
    if place := submission["place"]:
        typer.echo(place_in_words(place))
    if submission["state"] == "checked":
        typer.echo(_trial(submission))
    if failure := submission["failure"]:
        typer.echo(f"{failure['kind']}: {failure['message']}")
    if score := submission["score"]:
        interval = f"95% {score['ci_low']:.4f} to {score['ci_high']:.4f}"
        typer.echo(f"final score {score['final_score']:.4f} ({interval}), N = {score['seeds']}")
        typer.echo(f"forgetting quality {score['forgetting_quality']:.4f}, utility {score['utility']:.3f}")
        for flag in score["flags"]:
            typer.echo(f"flag: {flag}")
    if standing:
        for sentence in (standing["sentence"], *standing["remarks"]):
            typer.echo(sentence)


def _trial(submission: dict[str, Any]) -> str:
    """Tell what the trial of a notebook showed."""
    from services.core.submission.notebook import trial_words

    written = submission["checkpoints_written"]
    rehearsed = submission["provenance"].get("trial") == "rehearsal"
    return trial_words(rehearsed=rehearsed, checkpoints=submission["seeds"], unlearned=written > 0)
