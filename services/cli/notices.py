"""Commands about what happened: notices, and webhooks that are called."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from services.cli.client import open_client
from services.cli.console import print_json, print_table, say
from services.cli.moments import moment
from services.cli.participant import Json, Url

__all__ = ["app", "notices"]


app = typer.Typer(no_args_is_help=True, help="Have an address called when something happens.")
Competition = Annotated[
    str | None,
    typer.Option(help="Short name of a competition that you organise. Default: your own webhooks."),
]
Webhook = Annotated[str, typer.Argument(help="Id of the webhook; `lethe webhook list` shows it.")]


def notices(
    read: Annotated[bool, typer.Option("--read", help="Mark all as read afterwards.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show what happened to your submissions and competitions, newest first."""
    client = open_client(url)
    items = client.get("/api/me/notices")["items"]
    if as_json:
        print_json(items)
    else:
        rows = [(_moment(one), "" if one["read"] else "new", one["text"]) for one in items]
        _table(("when", "", "what"), rows)
    if read:
        client.post("/api/me/notices/read")


@app.command("list")
def list_webhooks(competition: Competition = None, url: Url = None, as_json: Json = False) -> None:
    """List webhooks."""
    items = open_client(url).get(_path(competition))["items"]
    if as_json:
        print_json(items)
        return
    rows = [(one["id"], one["url"], ", ".join(one["kinds"]), "disabled" if one["disabled_at"] else "") for one in items]
    _table(("id", "address", "called for", ""), rows)


@app.command("add")
def add(
    address: Annotated[str, typer.Argument(help="An address that begins with https://.")],
    kind: Annotated[
        list[str] | None,
        typer.Option(help="What to call it for, such as submission.scored. Repeatable. Default: everything."),
    ] = None,
    competition: Competition = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Add a webhook, and print the secret that proves who calls. It is shown only now."""
    body: dict[str, Any] = {"url": address} | ({"kinds": kind} if kind else {})
    made = open_client(url).post(_path(competition), body)
    if as_json:
        print_json(made)
        return
    say(f"Webhook {made['id']} is called from now on. Try it: lethe webhook test {made['id']}")
    typer.echo(made["secret"])


@app.command("test")
def test(webhook: Webhook, competition: Competition = None, url: Url = None) -> None:
    """Call a webhook with a test message, also if it was disabled."""
    open_client(url).post(f"{_path(competition)}/{webhook}/test")
    say(f"The call is made within seconds. See what came of it: lethe webhook calls {webhook}")


@app.command("calls")
def calls(webhook: Webhook, competition: Competition = None, url: Url = None, as_json: Json = False) -> None:
    """List the newest calls of a webhook."""
    items = open_client(url).get(f"{_path(competition)}/{webhook}/calls")["items"]
    if as_json:
        print_json(items)
        return
    rows = [(one["id"], _moment(one), one["kind"], _outcome(one)) for one in items]
    _table(("id", "when", "for", "outcome"), rows)


@app.command("repeat")
def repeat(
    webhook: Webhook,
    call: Annotated[str, typer.Argument(help="Id of the call; `lethe webhook calls` shows it.")],
    competition: Competition = None,
    url: Url = None,
) -> None:
    """Make a call again, with the same id and body."""
    open_client(url).post(f"{_path(competition)}/{webhook}/calls/{call}/repeat")
    say("The call is made again within seconds.")


@app.command("remove")
def remove(webhook: Webhook, competition: Competition = None, url: Url = None) -> None:
    """Remove a webhook. It is not called any more."""
    open_client(url).delete(f"{_path(competition)}/{webhook}")
    say("The webhook is removed.")


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    print_table(headings, rows, title="", words=set(headings))


def _moment(one: dict[str, Any]) -> str:
    return moment(one["created_at"])


def _path(competition: str | None) -> str:
    return "/api/me/webhooks" if competition is None else f"/api/competitions/{competition}/webhooks"


def _outcome(call: dict[str, Any]) -> str:
    if call["delivered_at"]:
        return f"delivered ({call['status']})"
    last = call["problem"] or (f"it answered {call['status']}" if call["status"] else "not tried yet")
    return f"given up: {last}" if call["given_up_at"] else f"tried {call['attempts']} times: {last}"
