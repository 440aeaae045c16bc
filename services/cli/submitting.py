"""`lethe submit`, and the notes that a team keeps about its submissions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from uuid import uuid4
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import typer

from services.cli.client import Client, NoSuchFile, open_client
from services.cli.console import print_json, require_place, say
from services.cli.endings import Ending
from services.cli.participant import Json, Url
from services.cli.patience import Patience
from services.cli.places import forecast_in_words
from services.cli.showing import GiveUp, finish, watch_one
from services.core.errors import BadInput

__all__ = ["note", "share", "submit"]

UPLOAD_PATIENCE_S = 60.0  # of a command that does not wait for the score either
FORECAST_BYTES = 4 * 1024**2  # a larger file is sent once, without a forecast; --check gives one
PACKED = "submission.zip"  # the name of several files in one
ALONE = (".zip", ".ipynb")
SENT_AGAIN = "The same upload is sent again, and counts once."

Note = Annotated[str | None, typer.Option(help="A note about it, which only your team and the organisers see.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag, seen like the note. May be given several times.")]


def submit(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...",
            help="The module (.py), archive (.zip) or notebook (.ipynb). Several files become one archive: the module "
            "that defines unlearning, and what it imports or reads. Without any, --again sends the earlier file.",
        ),
    ] = None,
    competition: Annotated[
        str | None, typer.Option("--competition", "-c", help="The competition's short name.")
    ] = None,
    phase: Annotated[str | None, typer.Option("--phase", "-p", help="The phase's short name.")] = None,
    name: Annotated[str | None, typer.Option(help="The name on the leaderboard; default: the file's name.")] = None,
    team: Annotated[str | None, typer.Option(help="The team to submit for. Needed if you are in several.")] = None,
    reference: Annotated[
        str | None, typer.Option(help="identity or retrain: submit a reference row. For organisers.")
    ] = None,
    again: Annotated[
        str | None,
        typer.Option(help="Take what you leave out from this earlier submission: file, competition, phase and so on."),
    ] = None,
    note: Note = None,
    tags: Tags = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the submission until it is scored.")] = False,
    give_up_after: GiveUp = None,
    summary: Annotated[Path | None, typer.Option(help="Append the result as Markdown to this file, for CI.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only check the file and print its forecast; submit nothing.")
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Submit an unlearning algorithm. With --wait, for CI, the exit status tells whether it was scored."""
    given = files or []
    for file in given:
        if not file.is_file():
            raise NoSuchFile(f"There is no file {file}. Check its name and the directory you are in.")
    require_place(summary)
    if again is None and (not given or None in (competition, phase)):
        raise typer.BadParameter("Give a file, --competition and --phase, or an earlier submission with --again.")
    client = open_client(url)
    earlier = client.get(f"/api/submissions/{again}") if again else {}
    where = f"/api/competitions/{competition or earlier['competition']}/phases/{phase or earlier['phase']}"
    patience = Patience(UPLOAD_PATIENCE_S if give_up_after is None and not wait else give_up_after)
    with _to_send(client, given, earlier) as (path, filename):
        query = {"name": name or earlier.get("name"), "team": team or earlier.get("team"), "reference": reference}
        if check:
            found = client.upload(f"{where}/submissions/check", path, filename=filename, team=query["team"])
            _show_check(filename, found, as_json)
            return
        if path.stat().st_size <= FORECAST_BYTES:
            found = client.upload(f"{where}/submissions/check", path, filename=filename, team=query["team"])
            for line in forecast_in_words(found["forecast"]):
                say(line)
        upload = partial(client.upload, f"{where}/submissions", path, filename=filename, **query)
        submission = _send(upload, patience)
    say(f"Submitted {filename} as {submission['id']}.")
    warnings = submission["warnings"]
    for warning in warnings:
        say(f"warning: {warning}")
    noted = {"note": note or earlier.get("note", ""), "tags": tags or earlier.get("tags", [])}
    if any(noted.values()):
        write = partial(client.put, f"/api/submissions/{submission['id']}/note", noted)
        submission = patience.ask(write, "The submission is there; its note follows.") | {"warnings": warnings}
    if wait:
        submission = watch_one(client, submission["id"], patience) | {"warnings": warnings}
    finish(client, submission, summary, as_json)


def note(
    submission: Annotated[str, typer.Argument(help="The id that `lethe submit` printed.")],
    text: Annotated[str | None, typer.Argument(help="The new note. If you leave it out, the old one stays.")] = None,
    tags: Tags = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Write a note and tags about a submission, or show them. Only your team and the organisers see them."""
    client = open_client(url)
    shown = client.get(f"/api/submissions/{submission}")
    if text is not None or tags is not None:
        changed = {
            "note": shown["note"] if text is None else text,
            "tags": shown["tags"] if tags is None else [tag for tag in tags if tag],
        }
        shown = client.put(f"/api/submissions/{submission}/note", changed)
    if as_json:
        print_json({"note": shown["note"], "tags": shown["tags"]})
        return
    typer.echo(shown["note"] or "no note")
    typer.echo(f"tags: {', '.join(shown['tags']) or 'none'}")


def share(
    submission: Annotated[str, typer.Argument(help="The id that `lethe submit` printed.")],
    undo: Annotated[bool, typer.Option("--undo", help="Show it to your team alone again.")] = False,
    url: Url = None,
) -> None:
    """Show a scored submission to everybody who has its link: name, team, score and place, never code or note."""
    client = open_client(url)
    if undo:
        client.delete(f"/api/submissions/{submission}/share")
        say("Only your team sees it now.")
        return
    client.put(f"/api/submissions/{submission}/share")
    say("Everybody who has this link sees its score:")
    typer.echo(f"{client.url}/shared/{submission}")


@contextmanager
def _to_send(client: Client, files: list[Path], earlier: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield the file to send and its name: what was given, several in one archive, or the earlier submission's."""
    if len(files) == 1:
        yield files[0], files[0].name
        return
    with TemporaryDirectory(prefix="lethe-submit-") as directory:
        upload = Path(directory) / "upload"
        if files:
            _pack(files, upload)
        else:
            upload.write_bytes(client.read(f"/api/submissions/{earlier['id']}/upload"))
        yield upload, PACKED if files else earlier["filename"]


def _pack(files: list[Path], archive: Path) -> None:
    """Put files at the top of an archive; the same files make the same bytes. Raises BadInput."""
    names = [file.name for file in files]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BadInput(f"Two files are called {twice}. Rename one: all lie at the top of one archive.")
    if alone := next((name for name in names if Path(name).suffix.lower() in ALONE), None):
        raise BadInput(f"{alone} is submitted alone. Leave the other files out.")
    with ZipFile(archive, "w", ZIP_DEFLATED) as packed:
        for file in files:
            packed.writestr(ZipInfo(file.name), file.read_bytes(), ZIP_DEFLATED)


def _send(upload: Callable[..., Any], patience: Patience) -> dict[str, Any]:
    """Upload under a key of its own, again if the answer is lost: the server counts one key once."""
    key = uuid4().hex
    try:
        sent: dict[str, Any] = patience.ask(partial(upload, key=key), SENT_AGAIN)
    except KeyboardInterrupt:
        say("Stopped while the file was on its way. See with `lethe submissions` whether it arrived.")
        raise typer.Exit(Ending.INTERRUPTED) from None
    return sent


def _show_check(filename: str, found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    typer.echo(f"{filename} can be submitted.")
    for warning in found["warnings"]:
        typer.echo(f"warning: {warning}")
    for line in forecast_in_words(found["forecast"]):
        typer.echo(line)
