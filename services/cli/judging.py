"""Commands of those who judge entries, and of teams that withdraw one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.client import open_client
from services.cli.console import print_json, print_table, say
from services.cli.moments import moment
from services.cli.participant import Competition, Json, Url

__all__ = ["app", "withdraw"]

app = typer.Typer(no_args_is_help=True, help="Read, compare, disqualify and reinstate entries. For organisers.")

Submission = Annotated[str, typer.Argument(help="The id of a submission.")]
Reason = Annotated[str, typer.Option(help="Why; the team sees it.")]


@app.command("code")
def read_code(
    submission: Submission,
    output: Annotated[Path | None, typer.Option(help="Write the files into this new folder instead.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Print the code of a submission. That you read it is on record."""
    found = open_client(url).get(f"/api/submissions/{submission}/code")
    if as_json:
        print_json(found)
        return
    if output is not None:
        _write(found["files"], output)
        return
    for file in found["files"]:
        typer.echo(f"=== {file['path']} ({file['size_bytes']} bytes)")
        typer.echo("not shown: it is not text, or too long" if file["text"] is None else file["text"])


@app.command("diff")
def compare_code(
    submission: Submission,
    other: Annotated[str, typer.Argument(help="The id of the submission to compare with.")],
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show how the code of a submission differs from that of another one. That you read both is on record."""
    found = open_client(url).get(f"/api/submissions/{submission}/diff", other=other)
    if as_json:
        print_json(found)
        return
    for file in found["files"]:
        if file["lines"] is None:
            typer.echo(f"{file['path']}: differs, and cannot be shown")
        for line in file["lines"] or []:
            typer.echo(line)
    if all(file["same"] for file in found["files"]):
        say("No differences.")


@app.command("disqualify")
def disqualify(
    competition: Competition,
    reason: Reason,
    submission: Annotated[str | None, typer.Option(help="The id of the submission.")] = None,
    team: Annotated[str | None, typer.Option(help="The team, with all that it submits to the competition.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Take an entry or a team off the boards. Earlier boards stay as they were."""
    body = {"reason": reason} | _given(submission_id=submission, team=team)
    made = open_client(url).post(f"/api/competitions/{competition}/disqualifications", body)
    if as_json:
        print_json(made)
    else:
        say(f"Disqualified. Take it back with `lethe judge reinstate {made['id']}`.")


@app.command("reinstate")
def reinstate(
    disqualification: Annotated[str, typer.Argument(help="The id that `lethe judge list` prints.")],
    competition: Competition,
    reason: Reason,
    url: Url = None,
) -> None:
    """Let a disqualified entry or team compete again."""
    path = f"/api/competitions/{competition}/disqualifications/{disqualification}/reinstate"
    open_client(url).post(path, {"reason": reason})
    say("Reinstated.")


@app.command("list")
def list_exclusions(
    competition: Competition,
    ended: Annotated[bool, typer.Option("--all", help="List also what was taken back.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List what is off the boards: disqualified, or withdrawn by its team."""
    path = f"/api/competitions/{competition}/disqualifications"
    found = list(open_client(url).pages(path, current=None if ended else True))
    if as_json:
        print_json(found)
        return
    names = ("id", "kind", "team", "submission", "since", "until", "reason")
    rows = [_row(one) for one in found]
    print_table(names, rows, title=f"Off the boards of {competition}", words=set(names))


@app.command("copies")
def list_copies(competition: Competition, url: Url = None, as_json: Json = False) -> None:
    """List submissions that are nearly another team's earlier one, by code or by weights. Public code is alike, too."""
    found = list(open_client(url).pages(f"/api/competitions/{competition}/copies"))
    if as_json:
        print_json(found)
        return
    names = ("later", "team", "earlier", "of team", "by", "alike", "same code")
    print_table(names, [_copied(one) for one in found], title="Near-identical entries", words=set(names) - {"alike"})


def withdraw(
    submission: Annotated[str, typer.Argument(help="The id that `lethe submit` printed.")],
    undo: Annotated[bool, typer.Option("--undo", help="Let a withdrawn submission compete again.")] = False,
    url: Url = None,
) -> None:
    """Take a submission off the leaderboard, until a final opens. Your next-best entry takes its place."""
    open_client(url).post(f"/api/submissions/{submission}/{'reenter' if undo else 'withdraw'}")
    say("It competes again." if undo else "Withdrawn. Take it back with --undo.")


def _write(files: list[dict[str, Any]], folder: Path) -> None:
    """Write the shown files below a new folder. Paths were checked at upload: they are relative and plain."""
    folder.mkdir(parents=True)
    for file in files:
        target = (folder / file["path"]).resolve()
        if file["text"] is None or not target.is_relative_to(folder.resolve()):
            say(f"Not written: {file['path']}.")
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file["text"])
    say(f"Wrote {folder}.")


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _row(one: dict[str, Any]) -> list[str]:
    moments = (moment(one["created_at"]), moment(one["ended_at"]) if one["ended_at"] else "")
    reasons = " Reinstated: ".join(one[name] for name in ("reason", "ended_reason") if one[name])
    return [one["id"], one["kind"], one["team"], one["submission"] or "all", *moments, reasons]


def _copied(one: dict[str, Any]) -> list[str]:
    later, earlier = one["later"], one["earlier"]
    named = [later["submission_id"], later["team"], earlier["submission_id"], earlier["team"]]
    return [*named, one["kind"], f"{one['likeness']:.0%}", "yes" if one["same_code"] else "no"]
