"""Commands of winners: show finalists, decide on them, have them run again, fetch all of one, agree to publish code."""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.client import open_client
from services.cli.console import print_json, print_table, require_place, say
from services.cli.participant import Competition, Json, Phase, Url
from services.core.errors import BadInput

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Show the finalists of a published final, verify them, publish code.")

Finalist = Annotated[str, typer.Argument(help="The id that `lethe winners show` prints.")]
Reason = Annotated[str, typer.Option(help="Why. Everybody sees it.")]


@app.command("show")
def show(
    competition: Competition,
    phase: Phase,
    top: Annotated[int, typer.Option(help="Maximum number of finalists.", min=1, max=1000)] = 10,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List the entries of a published final, best first: what was decided on each, and how its new runs compare."""
    found = []
    for one in open_client(url).pages(_path(competition, phase)):
        found.append(one)
        if len(found) == top:
            break
    if as_json:
        print_json(found)
        return
    names = ("id", "team", "phase", "rank", "final score", "state", "run again", "code")
    rows = [_row(one, place) for one in found for place in one["places"]]
    print_table(names, rows, title=f"Finalists of {phase}", words=set(names) - {"rank", "final score"})


@app.command("verify")
def verify(finalist: Finalist, competition: Competition, phase: Phase, reason: Reason, url: Url = None) -> None:
    """Verify a finalist. Its code is published if its team agreed. Take it back with `lethe winners review`."""
    shown = _decide("verify", competition, phase, finalist, reason, url)
    say(f"Verified {shown['name']} of {shown['team']}. {_of_code(shown)}")


@app.command("refuse")
def refuse(finalist: Finalist, competition: Competition, phase: Phase, reason: Reason, url: Url = None) -> None:
    """Refuse a finalist. It keeps its place on the board: disqualify it to take it off."""
    shown = _decide("refuse", competition, phase, finalist, reason, url)
    say(f"Refused {shown['name']} of {shown['team']}. Take it back with `lethe winners review`.")


@app.command("review")
def review(finalist: Finalist, competition: Competition, phase: Phase, reason: Reason, url: Url = None) -> None:
    """Put a finalist back into review. Its code is not public any more."""
    shown = _decide("review", competition, phase, finalist, reason, url)
    say(f"{shown['name']} of {shown['team']} is in review again.")


@app.command("rerun")
def rerun(
    finalist: Finalist,
    competition: Competition,
    phase: Phase,
    same_seeds: Annotated[
        bool, typer.Option("--same-seeds", help="Run the same seeds, to compare each model. If not, draw new ones.")
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Run the code of a finalist again, on other workers if there are any. No leaderboard moves."""
    path = f"{_path(competition, phase)}/{finalist}/rerun"
    shown = open_client(url).post(path, {"same_seeds": same_seeds})
    if as_json:
        print_json(shown)
    else:
        say("Queued. `lethe winners show` tells how the new runs compare. Repeat this to begin anew.")


@app.command("archive")
def archive(
    finalist: Finalist,
    competition: Competition,
    phase: Phase,
    out: Annotated[Path, typer.Option("--output", "-o", help="The file to write, a .zip.")],
    url: Url = None,
) -> None:
    """Download all of a finalist: code, consent, runs, receipts, measurements. That you read its code is on record."""
    require_place(out)
    if out.exists():
        raise BadInput(f"{out} is there already. Name another file, or remove it first.")
    out.write_bytes(open_client(url).read(f"{_path(competition, phase)}/{finalist}/archive"))
    say(f"Wrote {out}.")


@app.command("agree")
def agree(
    submission: Annotated[str, typer.Argument(help="The id of a submission of your team.")],
    licence: Annotated[
        str | None, typer.Option(help="The licence to agree to, as the final shows it. Needed unless you use --undo.")
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the agreement back, while the code is not public.")
    ] = False,
    url: Url = None,
) -> None:
    """Agree that the code of a submission is published under the competition's licence if it wins. For participants."""
    client, path = open_client(url), f"/api/submissions/{submission}/agreement"
    if undo:
        client.delete(path)
        say("Taken back.")
        return
    if licence is None:
        raise BadInput("Name the licence with --licence. `lethe final show` tells which one is asked for.")
    client.put(path, {"licence": licence})
    say(f"Agreed: the code is published under {licence} if it wins and is verified. Take it back with --undo.")


def _decide(act: str, competition: str, phase: str, finalist: str, reason: str, url: str | None) -> dict[str, Any]:
    path = f"{_path(competition, phase)}/{finalist}/{act}"
    shown: dict[str, Any] = open_client(url).post(path, {"reason": reason})
    return shown


def _path(competition: str, phase: str) -> str:
    return f"/api/competitions/{competition}/phases/{phase}/final/winners"


def _row(one: dict[str, Any], place: dict[str, Any]) -> list[str]:
    score = "" if place["final_score"] is None else f"{place['final_score']:.4f}"
    rank = "–" if place["rank"] is None else str(place["rank"])
    state = one["state"].replace("_", " ")
    code = one["licence"] or ""
    shown = f"{code} (public)" if one["code_published"] else code
    return [one["submission_id"], one["team"], place["phase"], rank, score, state, _again(place["again"]), shown]


def _again(run: dict[str, Any] | None) -> str:
    if run is None:
        return ""
    if run["difference"] is None:
        return str(run["state"])
    same = "" if run["same_models"] is None else f", {run['same_models']} models the same"
    place = "elsewhere" if run["independent"] else "same worker"
    return f"{run['difference']:+.4f} ({run['low']:+.4f} to {run['high']:+.4f}), {place}{same}"


def _of_code(shown: dict[str, Any]) -> str:
    if shown["code_published"]:
        return f"Its code is public under {shown['licence']}."
    return "Its team did not agree to publish its code."
