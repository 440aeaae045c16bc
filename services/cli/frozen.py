"""Commands about the end of a competition: freeze it into an archive, and check one."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.console import milestone, print_json, progress, require_place, say
from services.cli.databases import migrated_database
from services.cli.participant import Json

__all__ = ["freeze", "verify"]

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
