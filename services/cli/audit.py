"""Commands of the record: check it, carry it away, show its head."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.client import open_client
from services.cli.console import print_json, say
from services.cli.databases import migrated_database
from services.cli.participant import Json, Url

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Check the record of acts and scores, export it, show its head.")


@app.command("verify")
def verify(
    file: Annotated[Path | None, typer.Argument(help="An export. If you leave it out: this installation.")] = None,
    head: Annotated[
        list[str] | None, typer.Option(help="A head that somebody kept, as NUMBER:HASH. Repeat it for several.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check that no act and no score was edited, dropped, added or swapped. The exit status is 1 if one was."""
    from services.core.record.verifying import parse_head, verify_database, verify_file
    from services.core.settings import load_settings

    known = [parse_head(one) for one in head or []]
    if file is not None:
        report = verify_file(file, known)
    else:
        with migrated_database(load_settings()) as database:
            report = verify_database(database, known)
    if as_json:
        head_found = f"{report.head.number}:{report.head.hash}"
        print_json({"head": head_found, "hidden": report.hidden, "problems": report.problems})
    else:
        for problem in report.problems:
            say(problem)
        say(f"{report.links} acts and scores; the head is {report.head.number}:{report.head.hash}.")
        if report.hidden:
            say(f"{report.hidden} of them are not shown, so only their place is checked. Give a head with --head.")
    if report.problems:
        raise typer.Exit(1)


@app.command("export")
def export_record(file: Annotated[Path, typer.Argument(help="The new file, one act or score per line.")]) -> None:
    """Write this installation's record to a file. It names accounts by ids, and holds reasons and settings."""
    from services.core.record.verifying import export
    from services.core.settings import load_settings

    with migrated_database(load_settings()) as database:
        count = export(database, file)
    say(f"Wrote {count} acts and scores to {file}.")


@app.command("head")
def show_head(url: Url = None) -> None:
    """Print the head of a server's record, NUMBER:HASH. Keep it, so that you can check the record later."""
    found = open_client(url).get("/api/record")
    typer.echo(f"{found['number']}:{found['hash']}")
