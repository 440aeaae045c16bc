"""Commands of finals: teams select entries; the organiser previews, starts, publishes and seals; anybody checks."""

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from services.cli.client import Client, open_client
from services.cli.console import milestone, print_json, print_table, progress, say
from services.cli.moments import moment
from services.cli.participant import Competition, Json, Phase, Url
from services.core.errors import BadInput, Conflict

__all__ = ["PromiseBroken", "app", "select"]

app = typer.Typer(no_args_is_help=True, help="Preview, start, publish and seal finals, and check their promises.")

POLL_S = 1.0


class PromiseBroken(Conflict):
    """A secret or a seed that is not what a final committed to."""

    code = "promise_broken"


def select(
    submission: Annotated[str, typer.Argument(help="The id of a scored submission of your team.")],
    phase: Annotated[str | None, typer.Option("--phase", "-p", help="The final; needed if there are several.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the submission back from the final.")] = False,
    publish_code: Annotated[
        bool | None,
        typer.Option(
            "--publish-code/--no-publish-code",
            help="Whether its code may be published under the final's licence if it wins. If left out, you are asked.",
        ),
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Enter a submission into a final, until the selection ends. If you enter none, your best ranked one is entered."""
    client = open_client(url)
    found = client.get(f"/api/submissions/{submission}")
    final = phase or _only_final(found)
    about = _path(found["competition"], final)
    path = f"{about}/selection/{submission}"
    shown = client.delete(path) if undo else client.put(path, licence=_licence(client.get(about), publish_code))
    if as_json:
        print_json(shown)
        return
    names = ", ".join(one["name"] for one in shown["entries"]) or "nothing"
    say(f"Team {shown['team']} enters {names}{' by default' * shown['by_default']}, of at most {shown['selects']}.")
    say(f"You can change this until {moment(shown['closes_at'])}, unless the organiser starts the final earlier.")


@app.command("show")
def show(competition: Competition, phase: Phase, url: Url = None, as_json: Json = False) -> None:
    """Show a final: what teams may select, the commitment to its seeds, and its secret once it was published."""
    found = open_client(url).get(_path(competition, phase))
    if as_json:
        print_json(found)
        return
    print_table(("", "value"), _facts(found), title=f"Final {found['phase']} of {competition}", words={"", "value"})


@app.command("preview")
def preview(competition: Competition, phase: Phase, url: Url = None, as_json: Json = False) -> None:
    """Show who would enter, how many runs that makes, and how many hours they are expected to take."""
    client, path = open_client(url), _path(competition, phase)
    counted = _preview(client, path)
    teams = list(client.pages(f"{path}/entries"))
    if as_json:
        print_json(counted | {"items": teams})
        return
    names = ("team", "enters", "by default")
    rows = [[one["team"], _names(one), "yes" if one["by_default"] and one["entries"] else ""] for one in teams]
    print_table(names, rows, title=f"Entries of {phase}", words=set(names))
    say(_in_words(counted))


@app.command("start")
def start(
    competition: Competition,
    phase: Phase,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the runs until all have ended.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Fix the selections and begin to run them. Repeat it to enter teams that have no entry yet."""
    client, path = open_client(url), _path(competition, phase)
    found = client.get(path)
    if found["started_at"] is None:
        say(_in_words(_preview(client, path)))
    client.post(f"{path}/start")
    say("Started. The board is sealed until you publish it with `lethe final publish`.")
    shown = _follow(client, path) if wait else client.get(f"{path}/progress")
    if as_json:
        print_json(shown)
    elif wait:
        say(f"All {shown['entries']} entries have ended: {_states(shown)}.")


@app.command("progress")
def show_progress(competition: Competition, phase: Phase, url: Url = None, as_json: Json = False) -> None:
    """Show how far the runs of a started final are."""
    shown = open_client(url).get(f"{_path(competition, phase)}/progress")
    if as_json:
        print_json(shown)
    else:
        say(f"{shown['ended']} of {shown['entries']} entries have ended: {_states(shown)}.")


@app.command("publish")
def publish(
    competition: Competition,
    phase: Phase,
    anyway: Annotated[bool, typer.Option("--anyway", help="Publish although not all entries have ended.")] = False,
    url: Url = None,
) -> None:
    """Show the boards and entries to everybody, at once, and reveal the secret of the seeds."""
    found = open_client(url).post(f"{_path(competition, phase)}/publish", {"anyway": anyway})
    say(f"Published. The secret is {found['secret']}. Seal the boards again with `lethe final seal`.")


@app.command("seal")
def seal(competition: Competition, phase: Phase, url: Url = None) -> None:
    """Hide the boards and entries of a published final again. Its secret stays known."""
    open_client(url).post(f"{_path(competition, phase)}/seal")
    say("Sealed. Publish it again with `lethe final publish`.")


@app.command("board")
def board(competition: Competition, phase: Phase, url: Url = None, as_json: Json = False) -> None:
    """Print the joint board of a final on several benchmarks: teams by the mean of their ranks."""
    found = list(open_client(url).pages(f"{_path(competition, phase)}/board"))
    if as_json:
        print_json(found)
        return
    slugs = list(dict.fromkeys(place["phase"] for one in found for place in one["places"]))
    names = ("rank", "team", "mean rank", "95% interval", *slugs)
    print_table(names, [_joint(one, slugs) for one in found], title=f"Joint board of {phase}", words={"team"})


@app.command("check")
def check(
    competition: Competition,
    phase: Phase,
    receipts: Annotated[
        list[Path] | None, typer.Argument(help="Receipts of entries, from `lethe receipt get`.")
    ] = None,
    url: Url = None,
) -> None:
    """Check the revealed secret against the commitment, and the seeds of receipts against the secret."""
    from services.core.finals.seeds import seed_key

    found = open_client(url).get(_path(competition, phase))
    if found["secret"] is None:
        raise BadInput("The secret is revealed when the final is published. Check it then.")
    secret = bytes.fromhex(found["secret"])
    if hashlib.sha256(secret).hexdigest() != found["commitment"]:
        raise PromiseBroken("The secret is not the one that the final committed to. Ask the organiser.")
    say(f"The secret is the one that {found['commitment']} committed to.")
    for file in receipts or []:
        statement = _statement(file)
        if statement["final"]["commitment"] != found["commitment"]:
            raise PromiseBroken(f"{file} is a receipt of another final, or of another commitment.")
        key = seed_key(secret, statement["benchmark"], UUID(statement["final"]["selected"]))
        if hashlib.sha256(key).hexdigest() != statement["seed_key_sha256"]:
            raise PromiseBroken(f"The seeds of {file} do not follow from the secret. Ask the organiser.")
        say(f"{file}: its seeds follow from the secret.")


def _licence(final: dict[str, Any], agreed: bool | None) -> str | None:
    """Return the licence that the team agrees to, if the final asks for one; on a terminal, ask."""
    licence: str | None = final["code_licence"]
    if licence is None:
        if agreed:
            raise BadInput("This final asks for no licence. Leave --publish-code out.")
        return None
    if agreed is None and sys.stdin.isatty():
        agreed = typer.confirm(f"May the code be published under {licence} if it wins and is verified?")
    return licence if agreed else None


def _path(competition: str, phase: str) -> str:
    return f"/api/competitions/{competition}/phases/{phase}/final"


def _only_final(submission: dict[str, Any]) -> str:
    finals = [one["phase"] for one in submission["finals"]]
    if len(finals) != 1:
        names = ", ".join(finals) or "none"
        raise BadInput(f"Name the final with --phase. Finals that this submission can enter: {names}.")
    return str(finals[0])


def _preview(client: Client, path: str) -> dict[str, Any]:
    """Fetch a preview that is up to date; the scorer counts it within seconds."""
    found: dict[str, Any] = client.get(f"{path}/preview")
    while found["behind"]:
        time.sleep(POLL_S)
        found = client.get(f"{path}/preview")
    return found


def _follow(client: Client, path: str) -> dict[str, Any]:
    milestone("Entering teams and running their entries.")
    with progress() as bars:
        task = bars.add_task("Entries", total=None)
        shown: dict[str, Any] = client.get(f"{path}/progress")
        while not shown["complete"]:
            time.sleep(POLL_S)
            shown = client.get(f"{path}/progress")
            bars.update(task, completed=shown["ended"], total=shown["entries"])
    return shown


def _in_words(counted: dict[str, Any]) -> str:
    hours = "no worker serves it now" if counted["hours"] is None else f"about {counted['hours']:.1f} hours as of now"
    return (
        f"{counted['entries']} entries of {counted['teams']} teams ({counted['by_default']} by default; "
        f"{counted['left_out']} teams have none): {counted['runs']} runs, "
        f"{counted['run_hours']:.1f} hours of one slot, {hours}."
    )


def _names(team: dict[str, Any]) -> str:
    return ", ".join(f"{one['name']} ({one['phase']})" for one in team["entries"]) or "nothing"


def _states(shown: dict[str, Any]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(shown["states"].items())) or "none yet"


def _facts(found: dict[str, Any]) -> list[list[str]]:
    facts = {
        "benchmarks": ", ".join(f"{one['benchmark']} ({one['phase']})" for one in found["phases"]),
        "entries of a team": str(found["selects"]),
        "from phases": ", ".join(found["draws_from"]),
        f"selection {'ends' if found['is_open'] else 'ended'}": moment(found["closes_at"]),
        "started": moment(found["started_at"]) if found["started_at"] else "no",
        "published": moment(found["published_at"]) if found["published_at"] else "no",
        "commitment": found["commitment"],
        "secret": found["secret"] or "revealed when it is published",
    }
    return [[name, value] for name, value in facts.items()]


def _joint(one: dict[str, Any], slugs: list[str]) -> list[str]:
    ranks = {place["phase"]: place["rank"] for place in one["places"]}
    has_rank = one["rank"] is not None
    return [
        str(one["rank"]) if has_rank else "–",
        one["team"],
        f"{one['mean_rank']:.2f}" if has_rank else "",
        f"{one['mean_low']:.2f} – {one['mean_high']:.2f}" if has_rank else "",
        *("–" if ranks.get(slug) is None else str(ranks[slug]) for slug in slugs),
    ]


def _statement(file: Path) -> dict[str, Any]:
    """Read the statement of a receipt of a final. Its signature is checked by `lethe receipt verify`."""
    try:
        statement: dict[str, Any] = json.loads(file.read_text())["statement"]
        statement["final"]["selected"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{file} is no receipt of a final's entry. Get it with `lethe receipt get`.") from error
    return statement
