"""Commands of matrices: chosen entries on chosen benchmarks, beside the contest."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.client import Client, open_client
from services.cli.console import milestone, print_json, print_table, progress, require_place, say
from services.cli.participant import Competition, Json, Phase, Url

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Run chosen entries on chosen benchmarks, beside the contest.")

POLL_S = 1.0
Matrix = Annotated[str, typer.Argument(help="The id that `lethe matrix list` prints.")]


@app.command("run")
def run(
    competition: Competition,
    phase: Phase,
    entry: Annotated[list[str], typer.Option(help="The id of a scored submission of the phase; repeat it.")],
    benchmark: Annotated[list[str], typer.Option(help="A published benchmark, by name or digest; repeat it.")],
    title: Annotated[str, typer.Option(help="What it is for, in one line.")],
    seeds: Annotated[
        int | None, typer.Option(help="Runs of each entry on each benchmark. If you leave it out: as in the phase.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the runs until all have ended.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Run entries of a phase on benchmarks, under its limits. No board shows it; only organisers and reviewers do."""
    client = open_client(url)
    body = {"title": title, "entries": entry, "benchmarks": benchmark, "seeds": seeds}
    made = client.post(f"/api/competitions/{competition}/phases/{phase}/matrices", body)
    say(f"Started {made['runs']} evaluations of {made['seeds']} runs each. See `lethe matrix show {made['id']}`.")
    shown = _follow(client, _path(competition, made["id"])) if wait else made
    _print(shown, as_json=as_json)


@app.command("list")
def list_matrices(competition: Competition, url: Url = None, as_json: Json = False) -> None:
    """List the matrices of a competition, newest first."""
    found = list(open_client(url).pages(f"/api/competitions/{competition}/matrices"))
    if as_json:
        print_json(found)
        return
    names = ("id", "title", "phase", "entries", "benchmarks", "ended")
    rows = [
        [
            one["id"],
            one["title"],
            one["phase"],
            str(one["entries"]),
            ", ".join(one["benchmarks"]),
            f"{one['ended']} of {one['runs']}",
        ]
        for one in found
    ]
    print_table(names, rows, title=f"Matrices of {competition}", words={"id", "title", "phase", "benchmarks"})


@app.command("show")
def show(matrix: Matrix, competition: Competition, url: Url = None, as_json: Json = False) -> None:
    """Print the table of a matrix: entries by mean rank, with their scores on each benchmark."""
    _print(open_client(url).get(_path(competition, matrix)), as_json=as_json)


@app.command("export")
def export(
    matrix: Matrix,
    competition: Competition,
    out: Annotated[Path, typer.Argument(help="The file to write, as CSV.")],
    url: Url = None,
) -> None:
    """Write the table of a matrix to a CSV file: a line for each entry on each benchmark."""
    require_place(out)
    out.write_bytes(open_client(url).read(f"{_path(competition, matrix)}/table.csv"))
    say(f"Wrote {out}.")


@app.command("cancel")
def cancel(matrix: Matrix, competition: Competition, url: Url = None) -> None:
    """Stop the runs of a matrix that have not ended. What is scored stays."""
    shown = open_client(url).post(f"{_path(competition, matrix)}/cancel")
    say(f"Cancelled: {shown['ended']} of {shown['runs']} evaluations have ended.")


def _path(competition: str, matrix: str) -> str:
    return f"/api/competitions/{competition}/matrices/{matrix}"


def _follow(client: Client, path: str) -> dict[str, Any]:
    milestone("Running entries on benchmarks.")
    with progress() as bars:
        task = bars.add_task("Evaluations", total=None)
        shown: dict[str, Any] = client.get(path)
        while shown["settled_at"] is None:
            time.sleep(POLL_S)
            shown = client.get(path)
            bars.update(task, completed=shown["ended"], total=shown["runs"])
    return shown


def _print(shown: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(shown)
        return
    names = ("rank", "entry", "mean rank", "95% interval", *(one["name"] for one in shown["columns"]))
    rows = [_row(one) for one in shown["items"]]
    print_table(names, rows, title=f"{shown['title']}: {shown['metric']}, N = {shown['seeds']}", words={"entry"})
    say("In each column: the final score, and in brackets the rank among these entries.")


def _row(entry: dict[str, Any]) -> list[str]:
    has_rank = entry["rank"] is not None
    return [
        str(entry["rank"]) if has_rank else "–",
        f"{entry['team']}: {entry['name']}",
        f"{entry['mean_rank']:.2f}" if has_rank else "",
        f"{entry['mean_low']:.2f} – {entry['mean_high']:.2f}" if has_rank else "",
        *(_cell(one) for one in entry["cells"]),
    ]


def _cell(one: dict[str, Any]) -> str:
    if one["final_score"] is None:
        return str(one["failure_kind"] or one["state"])
    return f"{one['final_score']:.4f} ({'–' if one['rank'] is None else one['rank']})"
