"""Commands of participants: log in, cancel, compare, read the leaderboard."""

from typing import Annotated

import typer

from services.cli.client import Client, open_client, save_credentials
from services.cli.console import leaderboard_table, print_json, say

__all__ = ["cancel", "compare", "leaderboard", "login"]

Competition = Annotated[str, typer.Option("--competition", "-c", help="The competition's short name.")]
Phase = Annotated[str, typer.Option("--phase", "-p", help="The phase's short name.")]
Url = Annotated[str | None, typer.Option(help="The server; default: LETHE_URL, or the server of your last login.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def login(
    url: Annotated[str, typer.Option(help="The server.")] = "http://127.0.0.1:8000",
    username: Annotated[str, typer.Option(prompt=True, show_default=False, help="Your account.")] = "",
    password: Annotated[
        str,
        typer.Option(
            prompt=True, show_default=False, hide_input=True, help="You are asked for it if you leave it out."
        ),
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
    client = open_client(url, signed_in=False)
    path = f"/api/competitions/{competition}/phases/{phase}/leaderboard"
    if as_csv:
        for part in client.parts(f"{path}.csv", as_of=as_of):
            typer.echo(part, nl=False)
        return
    entries = client.board(path) if as_of is None else list(client.pages(path, as_of=as_of))
    if as_json:
        print_json(entries)
    else:
        phases = client.pages(f"/api/competitions/{competition}/phases")
        shown = next(one for one in phases if one["slug"] == phase)
        leaderboard_table(entries, f"{competition}, {phase}", shown["columns"])
        reason = shown["benchmark"]["accepted_unfit"]
        if reason is not None:
            say(f"Lethe judged the benchmark of this phase unfit. The operator uses it for this reason: {reason}")
