"""Commands about a competition's file: check, apply, export, and its versions."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.client import Client, ServerProblem, open_client
from services.cli.console import say
from services.cli.moments import moment
from services.cli.participant import Url
from services.core.errors import BadInput

__all__ = ["FileRefused", "apply_file", "check_file", "delete_competition", "export_file", "list_versions"]

RELIED_ON = "  (participants of an open phase rely on it)"

File = Annotated[Path, typer.Argument(help="The file, competition.yaml.")]
Slug = Annotated[str, typer.Argument(help="The competition's short name.")]


class FileRefused(BadInput):
    """A file with mistakes, each with its line."""

    code = "file_refused"


def check_file(file: File) -> None:
    """Check a competition's file without a server: its form, names and windows. Nothing is sent."""
    from services.api.files.reading import read_file

    found = read_file(_read(file)).mistakes
    if found:
        raise _refused(file, [{name: getattr(one, name) for name in one.__slots__} for one in sorted(found)])
    say(
        f"{file} is right as far as it can be told here. A server also knows benchmarks: `lethe competition apply "
        "--dry-run`."
    )


def apply_file(
    file: File,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    confirm: Annotated[
        bool,
        typer.Option(
            "--confirm", help="Change also what participants of an open phase rely on. It is announced to them."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = None,
) -> None:
    """Create or change a competition as its file says. Shows what would change, and asks, before anything does."""
    text = _read(file)
    client = open_client(url)
    plan = _send(client, "preview", file, {"text": text})
    slug, changes = plan["slug"], plan["changes"]
    if not changes:
        say(f"{slug} is already as {file} says.")
        return
    typer.echo(f"{'Changes of' if plan['exists'] else 'New:'} {slug}")
    for change in changes:
        _show(change)
    if dry_run:
        return
    if plan["needs_confirmation"] and not confirm:
        raise BadInput("Participants of an open phase rely on some of it. Add --confirm; it is announced to them.")
    if not yes and sys.stdin.isatty():
        typer.confirm("Apply?", abort=True)
    body = {"text": text, "based_on": plan["token"], "confirm": confirm}
    done = _send(client, "apply", file, body)
    say(f"Applied as version {done['number']} of {slug}.")
    if not plan["exists"] and client.get(f"/api/competitions/{slug}")["visibility"] == "draft":
        say("It is a draft, which only its organisers see. Set `visibility: public` in the file to show it.")


def export_file(
    slug: Slug,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of printing.")] = None,
    url: Url = None,
) -> None:
    """Print the file of a competition, written from what the server has. Applying it changes nothing."""
    text = open_client(url).get(f"/api/competitions/{slug}/file")["text"]
    if output is None:
        typer.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")
    say(f"Wrote {output}.")


def list_versions(
    slug: Slug,
    number: Annotated[int | None, typer.Option(help="Print this version, as it was applied.")] = None,
    url: Url = None,
) -> None:
    """List the files that were applied to a competition, newest first."""
    client = open_client(url)
    path = f"/api/competitions/{slug}/file/versions"
    if number is not None:
        typer.echo(client.get(f"{path}/{number}")["text"], nl=False)
        return
    found = list(client.pages(path))
    for one in found:
        typer.echo(f"{one['number']}  {moment(one['created_at'])}  {one['by']}")
    if not found:
        say("No file was applied yet.")


def delete_competition(
    slug: Slug, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False, url: Url = None
) -> None:
    """Delete a competition to which nobody has submitted. It cannot be taken back."""
    client = open_client(url)
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Delete {slug}?", abort=True)
    client.delete(f"/api/competitions/{slug}")
    say(f"Deleted {slug}.")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}. Check its path.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is not UTF-8. Save it as UTF-8.") from error


def _send(client: Client, act: str, file: Path, body: dict[str, Any]) -> Any:
    try:
        return client.post(f"/api/competition-files/{act}", body)
    except ServerProblem as error:
        if error.problem.get("code") == "bad_competition_file":
            raise _refused(file, error.problem["errors"]) from error
        raise


def _refused(file: Path, mistakes: list[dict[str, Any]]) -> FileRefused:
    lines = [
        f"{file}:{one['line']}: {one['path'] + ': ' if one['path'] else ''}{one['problem']} {one['remedy']}"
        for one in mistakes
    ]
    count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    return FileRefused("\n".join([f"{file} has {count}.", *lines]))


def _show(change: dict[str, Any]) -> None:
    mark = RELIED_ON if change["needs_confirmation"] else ""
    if change["lines"]:
        typer.echo(f"  {change['path']}:{mark}")
        for line in change["lines"]:
            typer.echo(f"    {line}")
    elif change["kind"] != "changed":
        typer.echo(f"  {change['path']}: {change['kind']}{mark}")
    elif change["before"] is None:
        typer.echo(f"  {change['path']}: {change['after']}{mark}")
    else:
        typer.echo(f"  {change['path']}: {change['before']} -> {change['after']}{mark}")
