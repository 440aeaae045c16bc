"""Commands about the end of a competition: freeze it into an archive, check one, delete what is not kept any more."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.console import milestone, print_json, print_table, progress, require_place, say
from services.cli.databases import migrated_database
from services.cli.participant import Json

if TYPE_CHECKING:
    from services.core.retention.deleting import PlannedDeletion

__all__ = ["freeze", "retain", "verify"]

Slug = Annotated[str, typer.Argument(help="The competition's short name.")]


def freeze(
    slug: Slug,
    out: Annotated[Path, typer.Argument(help="The new archive, a .zip.")],
    as_json: Json = False,
) -> None:
    """Write this installation's competition into one archive: pages that need no server, all public data, proofs.

    The same state gives the same bytes. The archive appears when it is complete.
    """
    from services.api.frozen.freezing import freeze as freeze_into
    from services.core.logs import configure_logs
    from services.core.settings import load_settings
    from services.core.store.blobs import Blobs
    from services.scorer.standings.boards import Boards
    from services.scorer.stores import Stores

    require_place(out)
    configure_logs()
    settings = load_settings()
    with migrated_database(settings) as database, progress() as bars:
        task = bars.add_task("Freezing", total=None)
        milestone("Writing boards, receipts and the record.")
        stores = Stores(database, Blobs.from_settings(settings), settings)
        done = freeze_into(
            database,
            stores.blobs,
            settings.key(),
            slug,
            out,
            compute=lambda: Boards(stores).keep(),
            tell=lambda count, total: bars.update(task, completed=count, total=total),
        )
    head = f"{done.head.number}:{done.head.hash}"
    if as_json:
        print_json({"file": str(out), "files": done.files, "entries": done.entries, "head": head})
        return
    say(f"Wrote {out}: {done.files} files, {done.entries} scores with receipts, the record up to {head}.")
    say(f"Check it with `lethe competition verify {out}`. Unpack it, and open index.html.")


def verify(
    archive: Annotated[Path, typer.Argument(help="An archive of `lethe competition freeze`, or its unpacked folder.")],
    key: Annotated[
        str | None, typer.Option(help="The installation's public key, as `GET /api/receipts/key` shows it.")
    ] = None,
    head: Annotated[
        list[str] | None, typer.Option(help="A head that somebody kept, as NUMBER:HASH. Repeat it for several.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a frozen competition without a server: checksums, seal, receipts, record and boards.

    The exit status is 1 if anything was edited, dropped, added or swapped.
    """
    from services.api.frozen.checking import check
    from services.core.record.verifying import parse_head

    found = check(archive, key=key, known=[parse_head(one) for one in head or []])
    if as_json:
        counts = {"files": found.files, "receipts": found.receipts, "rows": found.rows, "hidden": found.report.hidden}
        print_json(counts | {"public_key": found.key, "problems": found.problems})
    else:
        for problem in found.problems:
            say(problem)
        say(
            f"{found.files} files, {found.receipts} receipts, {found.rows} rows of boards, {found.report.links} acts "
            f"and scores, of which {found.report.hidden} are not shown."
        )
        if not found.problems:
            say(f"Nothing was changed since it was sealed by {found.key}.")
            if key is None:
                say("Compare the key with that of the installation, or give it with --key.")
    if found.problems:
        raise typer.Exit(1)


def retain(
    slug: Slug,
    delete: Annotated[bool, typer.Option("--delete", help="Delete what is due. Without it nothing changes.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Show what the retention of a competition on this installation would delete, and delete it with --delete.

    Boards, receipts and the record stay valid. Repeat it if it was interrupted.
    """
    from services.api.frozen.contents import find_any
    from services.core.retention.deleting import carry_out, plan
    from services.core.settings import load_settings
    from services.core.store.blobs import Blobs

    settings = load_settings()
    with migrated_database(settings) as database:
        with database.read() as session:
            competition = find_any(session, slug)
            found = plan(session, competition)
        total = sum(one.rows for one in found if one.ready)
        if not as_json:
            _show_plan(slug, found)
        deleted = 0
        if delete and total:
            if not yes:
                typer.confirm(f"Delete this data of {slug}? It cannot be taken back.", abort=True)
            with progress() as bars:
                task = bars.add_task("Deleting", total=total)
                for count in carry_out(database, Blobs.from_settings(settings), competition.id):
                    deleted += count
                    bars.update(task, completed=deleted)
            say(f"Deleted the data of {deleted} rows.")
        elif total and not as_json:
            say("Nothing was deleted. Repeat this with --delete.")
    if as_json:
        rules = [
            {"rule": one.due.rule, "kept": one.due.kept, "due": one.due.at and one.due.at.isoformat(), "rows": one.rows}
            for one in found
        ]
        print_json({"rules": rules, "deleted": deleted})


def _show_plan(slug: str, found: "list[PlannedDeletion]") -> None:
    if not found:
        say(f"{slug} keeps everything. Set `retention` in its file.")
        return
    names = ("what", "kept for", "due", "rows")
    rows = []
    for one in found:
        due = "the competition has not ended" if one.due.at is None else f"{one.due.at:%Y-%m-%d %H:%M} UTC"
        rows.append(
            [one.due.rule.value.replace("_", " "), one.due.kept, due if one.ready else f"not yet: {due}", str(one.rows)]
        )
    print_table(names, rows, title=f"Retention of {slug}", words={"what", "kept for", "due"})
