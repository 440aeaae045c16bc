"""What there is on a server, and who you are there."""

from itertools import islice
from typing import Annotated, Any

import typer

from services.cli.client import open_client
from services.cli.console import print_json, print_table
from services.cli.moments import moment
from services.cli.participant import Json, Url

__all__ = ["competitions", "phases", "submissions", "whoami"]

MOST_LISTED = 50

Limit = Annotated[int, typer.Option(min=1, help="List at most so many.")]


def competitions(limit: Limit = MOST_LISTED, url: Url = None, as_json: Json = False) -> None:
    """List the competitions of a server. Needs no login."""
    found = list(islice(open_client(url, signed_in=False).pages("/api/competitions"), limit))
    rows = [[one["slug"], one["title"], one["owner"], one["visibility"], one["registration"]] for one in found]
    headings = ("competition", "title", "organised by", "visibility", "registration")
    _print(found, headings, rows, as_json, of="competitions")


def phases(
    competition: Annotated[str, typer.Argument(help="The competition's short name.")],
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List the phases of a competition, with dates and quotas. Needs no login."""
    found = open_client(url, signed_in=False).get(f"/api/competitions/{competition}")["phases"]
    rows = [
        [
            *(one["slug"], one["kind"], _takes(one), moment(one["opens_at"]), moment(one["closes_at"])),
            *(str(one["quota_per_day"]), str(one["seeds"]), one["metric"]),
        ]
        for one in found
    ]
    headings = ("phase", "kind", "uploads", "opens", "closes", "per 24 h", "runs", "metric")
    _print(found, headings, rows, as_json, of="phases", numbers=("per 24 h", "runs"))


def submissions(
    competition: Annotated[
        str | None, typer.Option("--competition", "-c", help="Only those to this competition.")
    ] = None,
    phase: Annotated[str | None, typer.Option("--phase", "-p", help="Only those to phases of this name.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only those that your team gave this tag, in any case.")] = None,
    limit: Limit = MOST_LISTED,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List the submissions of your teams, newest first."""
    sought = {"competition": competition, "phase": phase, "tag": tag}
    pages = open_client(url).pages("/api/submissions", **sought, limit=min(limit, 100))
    found = list(islice(pages, limit))
    rows = [
        [
            *(one["id"], moment(one["submitted_at"]), one["competition"], one["phase"], one["name"], one["state"]),
            *(
                f"{one['score']['final_score']:.4f}" if one["score"] else "",
                "yes" if one["on_board"] else "",
                ", ".join(one["tags"]),
            ),
        ]
        for one in found
    ]
    headings = ("submission", "submitted", "competition", "phase", "name", "state", "score", "on the board", "tags")
    _print(found, headings, rows, as_json, of="submissions", numbers=("score",))


def whoami(url: Url = None, as_json: Json = False) -> None:
    """Say which account you are on which server, and in which teams."""
    client = open_client(url)
    found = client.get("/api/me")
    if as_json:
        print_json(found | {"server": client.url})
        return
    account = found["account"]
    typer.echo(f"{account['username']} ({account['role']}) at {client.url}")
    typer.echo(f"teams: {', '.join(team['name'] for team in found['teams']) or 'none'}")


def _print(
    found: list[dict[str, Any]],
    headings: tuple[str, ...],
    rows: list[list[str]],
    as_json: bool,
    *,
    of: str,
    numbers: tuple[str, ...] = (),
) -> None:
    if as_json:
        print_json(found)
    elif not rows:
        typer.echo(f"There are no {of}.")
    else:
        print_table(headings, rows, title="", words=set(headings) - set(numbers))


def _takes(phase: dict[str, Any]) -> str:
    if phase["entered_by"] == "selection":
        return "by selection"
    return "open" if phase["is_open"] else "closed"
