"""Commands of participants: log in, submit, watch, read the leaderboard."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.client import Client, open_client, save_credentials
from services.cli.console import leaderboard_table, milestone, print_json, progress, say
from services.cli.places import place_in_words
from services.core.errors import BadInput

__all__ = ["cancel", "compare", "follow", "leaderboard", "login", "status", "submit"]

POLL_S = 0.5

Competition = Annotated[str, typer.Option("--competition", "-c", help="The competition's short name.")]
Phase = Annotated[str, typer.Option("--phase", "-p", help="The phase's short name.")]
Url = Annotated[str | None, typer.Option(help="The server; default: LETHE_URL, or the server of your last login.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def login(
    url: Annotated[str, typer.Option(help="The server.")] = "http://127.0.0.1:8000",
    username: Annotated[str, typer.Option(prompt=True, help="Your account.")] = "",
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, help="You are asked for it if you leave it out.")
    ] = "",
    sign_up: Annotated[bool, typer.Option("--sign-up", help="Create the account first.")] = False,
) -> None:
    """Log in to a server and remember it. In CI set LETHE_URL and LETHE_TOKEN instead."""
    client = Client(url.rstrip("/"), None)
    if sign_up:
        client.post("/api/accounts", {"username": username, "password": password})
    session = client.post("/api/sessions", {"username": username, "password": password})
    path = save_credentials(client.url, session["token"])
    say(f"Logged in to {client.url} as {username}. The token is saved in {path}.")


def submit(
    file: Annotated[Path, typer.Argument(help="The module (.py), archive (.zip) or notebook (.ipynb).")],
    competition: Competition,
    phase: Phase,
    name: Annotated[str | None, typer.Option(help="The name on the leaderboard; default: the file's name.")] = None,
    team: Annotated[str | None, typer.Option(help="The team to submit for. Needed if you are in several.")] = None,
    reference: Annotated[
        str | None, typer.Option(help="identity or retrain: submit a reference row. For organisers.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the submission until it is scored.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only check the file, at no cost; submit nothing.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Submit an unlearning algorithm. With --wait, for CI, the exit status is 1 if it failed or was cancelled."""
    if not file.is_file():
        raise BadInput(f"There is no file {file}.")
    client = open_client(url)
    path = f"/api/competitions/{competition}/phases/{phase}/submissions"
    if check:
        _show_check(file, client.upload(f"{path}/check", file, filename=file.name), as_json)
        return
    _say_place(client.get(f"/api/competitions/{competition}/phases/{phase}/quota", team=team)["place"])
    submission = client.upload(path, file, filename=file.name, name=name, team=team, reference=reference)
    say(f"Submitted {file.name} as {submission['id']}.")
    warnings = submission["warnings"]
    for warning in warnings:
        say(f"warning: {warning}")
    if wait:
        submission = follow(client, [submission["id"]])[0] | {"warnings": warnings}
    _show(submission, as_json)
    if submission["ended"] and not submission["succeeded"]:
        raise typer.Exit(1)


def status(
    submission: Annotated[str, typer.Argument(help="The id that `lethe submit` printed.")],
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show the state of a submission and, once it has ended, its score or failure."""
    _show(open_client(url).get(f"/api/submissions/{submission}"), as_json)


def cancel(
    submission: Annotated[str, typer.Argument(help="The id that `lethe submit` printed.")],
    url: Url = None,
) -> None:
    """Stop a submission that is queued or running. It counts against the quota only if a run had started."""
    open_client(url).post(f"/api/submissions/{submission}/cancel")
    say("Cancelled.")


def compare(
    submission: Annotated[str, typer.Argument(help="The id of one submission.")],
    other: Annotated[str, typer.Argument(help="The id of another one in the same phase.")],
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Test whether one submission is better than another, beyond the noise of their runs and of the oracle."""
    found = open_client(url).get(f"/api/submissions/{submission}/comparison", other=other)
    if as_json:
        print_json(found)
        return
    typer.echo(f"difference {found['difference']:+.4f} (95% {found['low']:+.4f} to {found['high']:+.4f})")
    typer.echo(f"the first is better with probability {found['p_better']:.3f} if both were re-run")
    if found["p_better_elsewhere"] is not None:
        typer.echo(f"and with probability {found['p_better_elsewhere']:.3f} with a different forget set")
    typer.echo("separated" if found["separated"] else "not separated: a tie")


def leaderboard(
    competition: Competition,
    phase: Phase,
    as_of: Annotated[
        str | None, typer.Option(help="Show it as of this moment, with a time zone: 2027-01-31T12:00:00Z.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of text.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Print a leaderboard. Intervals are at 95%; reference rows are never ranked."""
    client = open_client(url)
    path = f"/api/competitions/{competition}/phases/{phase}/leaderboard"
    if as_csv:
        for part in client.parts(f"{path}.csv", as_of=as_of):
            typer.echo(part, nl=False)
        return
    entries = client.board(path) if as_of is None else list(client.pages(path, as_of=as_of))
    if as_json:
        print_json(entries)
    else:
        leaderboard_table(entries, f"{competition}, {phase}")


def follow(client: Client, ids: list[str], on_change: Callable[[dict[str, Any]], None] = lambda _: None) -> list[Any]:
    """Watch submissions until all have ended, with a bar for each; return them in order."""
    latest: dict[str, dict[str, Any]] = {}
    with progress() as bars:
        tasks: dict[str, Any] = {}
        while under_way := [one for one in ids if not latest.get(one, {}).get("ended")]:
            for one in under_way:
                submission = client.get(f"/api/submissions/{one}")
                if one not in tasks:
                    tasks[one] = bars.add_task(submission["name"], total=submission["seeds"])
                doing, completed = _progress_of(submission)
                bars.update(tasks[one], completed=completed, description=f"{submission['name']:<18}{doing:<10}")
                if submission["state"] != latest.get(one, {}).get("state"):
                    milestone(f"{submission['name']}: {submission['state']}")
                latest[one] = submission
                on_change(submission)
            time.sleep(POLL_S)
    return [latest[one] for one in ids]


def _progress_of(submission: dict[str, Any]) -> tuple[str, int]:
    """Return what a submission does, and its progress in runs. A notebook first writes all checkpoints."""
    written, measured = submission["checkpoints_written"], submission["seeds_done"]
    if written and not measured:
        return "writing" if submission["state"] == "running" else submission["state"], min(written, submission["seeds"])
    return submission["state"], measured


def _show_check(file: Path, found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    typer.echo(f"{file.name} can be submitted.")
    for warning in found["warnings"]:
        typer.echo(f"warning: {warning}")


def _trial(submission: dict[str, Any]) -> str:
    """Tell what the trial of a notebook showed."""
    from services.core.submission.notebook import trial_words

    written = submission["checkpoints_written"]
    rehearsed = submission["provenance"].get("trial") == "rehearsal"
    return trial_words(rehearsed=rehearsed, checkpoints=submission["seeds"], unlearned=written > 0)


def _say_place(place: dict[str, Any]) -> None:
    if place["ahead"]:
        say(place_in_words(place))


def _show(submission: dict[str, Any], as_json: bool) -> None:
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
