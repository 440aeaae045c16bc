"""`lethe benchmark upload | uploads | consent | refuse`: a benchmark comes to a server in parts and by consent."""

import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.client import Client, NoSuchFile, ServerProblem, open_client
from services.cli.console import milestone, print_json, print_listed, progress, say
from services.cli.participant import Json, Url
from services.cli.patience import Patience
from services.cli.showing import GiveUp

__all__ = ["consent", "refuse", "upload", "uploads"]

UPLOADS = "/api/benchmark-uploads"
LOOK_EVERY_S = 1.0
WORKED_ON = {"verifying", "publishing"}
KEPT = "What arrived is kept."

Upload = Annotated[str, typer.Argument(help="The id of the upload; `lethe benchmark uploads` shows it.")]


def upload(
    file: Annotated[Path, typer.Argument(help="The file that `lethe benchmark export` wrote.")],
    give_up_after: GiveUp = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Upload an exported benchmark to a server, in parts: run it again to go on after an interruption.

    The server checks every byte; then an operator, or an organiser whom one trusts with it, lets it be published.
    """
    if not file.is_file():
        raise NoSuchFile(f"There is no file {file}. Check its name and the directory you are in.")
    client, patience = open_client(url), Patience(give_up_after)
    found = _send(client, file, patience)
    while found["state"] in WORKED_ON:
        time.sleep(LOOK_EVERY_S)
        found = patience.ask(partial(client.get, f"{UPLOADS}/{found['id']}"), KEPT)
    _tell(found, as_json)


def uploads(
    code: Annotated[
        str | None, typer.Option(help="Print the architecture's code of this upload: workers run it, confined.")
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List your uploads of benchmarks; if you may publish them, those of everybody."""
    client = open_client(url)
    if code is not None:
        typer.echo(client.get(f"{UPLOADS}/{code}/architecture")["text"])
        return
    rows = list(client.pages(UPLOADS))
    columns = ("id", "filename", "state", "received_bytes", "size_bytes", "uploaded_by", "created_at")
    print_listed(rows, columns, "Uploads of benchmarks", as_json)


def consent(
    upload: Upload,
    accept_unfit: Annotated[
        str | None, typer.Option(help="Publish it although it is unfit, for this reason, which everyone sees.")
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Let a verified upload be published. For operators, and organisers whom one trusts with it."""
    client = open_client(url)
    found = client.post(f"{UPLOADS}/{upload}/consent", {"accept_unfit": accept_unfit})
    while found["state"] in WORKED_ON and found["reason"] is None:
        time.sleep(LOOK_EVERY_S)
        found = client.get(f"{UPLOADS}/{upload}")
    _tell(found, as_json)


def refuse(
    upload: Upload,
    reason: Annotated[str, typer.Argument(help="Why, and what to do. Whoever uploaded it sees this.")],
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Refuse a verified upload. For operators, and organisers whom one trusts with it."""
    found = open_client(url).post(f"{UPLOADS}/{upload}/refuse", {"reason": reason})
    if as_json:
        print_json(found)
    else:
        say(f"Refused {found['filename']} of {found['uploaded_by']}.")


def _send(client: Client, file: Path, patience: Patience) -> dict[str, Any]:
    """Send what the server lacks of a file; return the upload."""
    from hashlib import sha256

    size = file.stat().st_size
    part_bytes = client.get("/api/installation")["benchmark_part_bytes"]
    with file.open("rb") as content, progress() as bars:
        head = sha256(content.read(part_bytes)).hexdigest()
        begun = {"filename": file.name, "size_bytes": size, "head_sha256": head}
        found = dict(client.post(UPLOADS, begun))
        if found["received_bytes"]:
            say(f"Going on after {found['received_bytes'] / 1e6:.1f} of {size / 1e6:.1f} MB.")
        bar = bars.add_task("MB sent", total=size // 10**6, completed=found["received_bytes"] // 10**6)
        while found["state"] == "uploading":
            offset = found["received_bytes"]
            content.seek(offset)
            part = content.read(part_bytes)
            path = f"{UPLOADS}/{found['id']}/parts/{offset}"
            put = partial(client.put_bytes, path, part, sha256=sha256(part).hexdigest())
            try:
                found = dict(patience.ask(put, KEPT))
            except ServerProblem as error:
                if error.problem.get("code") != "wrong_offset":
                    raise
                found["received_bytes"] = error.problem["received_bytes"]  # somebody else sends it, too
            bars.update(bar, completed=found["received_bytes"] // 10**6)
        milestone(f"{size / 1e6:.1f} MB sent. The server checks them.")
    return found


def _tell(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    benchmark = found["found"] or {}
    match found["state"]:
        case "waiting":
            say(f"{benchmark['name']} ({benchmark['digest']}) is whole. It waits for consent: upload {found['id']}.")
            for problem in benchmark["problems"]:
                say(f"It is unfit: {problem}")
        case "published":
            say(f"Published {benchmark['name']} as {benchmark['digest']}.")
        case "refused":
            say(f"Refused: {found['reason']}")
            raise typer.Exit(1)
        case state:
            say(f"The upload is {state}. {found['reason'] or ''}".rstrip())
