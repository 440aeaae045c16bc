"""`lethe benchmark export | release | import | publish`: how benchmarks reach other installations and phases."""

import re
from pathlib import Path
from typing import Annotated

import typer

from services.cli.benchmark_facts import Benchmark
from services.cli.building import find
from services.cli.console import require_place, say
from services.cli.databases import migrated_database

__all__ = ["export_", "import_", "publish", "release"]


def export_(
    benchmark: Benchmark,
    file: Annotated[Path | None, typer.Argument(help="The file to write; default: NAME.tar in this directory.")] = None,
) -> None:
    """Write a benchmark to one file, including its hidden part, to carry it to another installation."""
    from services.core.bundle.archive import export_bundle
    from services.core.settings import load_settings

    bundle = find(load_settings(), benchmark)
    file = file or Path(f"{bundle.manifest.name}.tar")
    require_place(file)
    export_bundle(bundle, file)
    say(f"Wrote {bundle.manifest.digest} to {file} ({file.stat().st_size / 1e6:.1f} MB).")
    say("Keep it secret: it holds the hidden part, with which anyone can cheat.")


def release(
    benchmarks: Annotated[list[str], typer.Argument(help="Benchmarks' names, or their directories.")],
    out: Annotated[Path, typer.Option(help="The directory to write to; it must be absent or empty.")] = Path("release"),
    most_mb: Annotated[int, typer.Option(min=1, help="The most megabytes of an archive.")] = 64,
) -> None:
    """Write archives of benchmarks with checksums and a page, for others to import instead of building.

    They hold the oracles' measurements, no weights, and the hidden part: release only what no contest uses.
    """
    from services.core.bundle.release import write_release
    from services.core.settings import load_settings

    settings = load_settings()
    for one in write_release([find(settings, name) for name in benchmarks], out, most_bytes=most_mb * 10**6):
        say(f"{one.name}.tar: {one.size_bytes / 1e6:.1f} MB, benchmark {one.digest}.")
    say(f"{out} also holds SHA256SUMS and BENCHMARKS.md. Attach all of it to a release.")


def import_(
    file: Annotated[Path, typer.Argument(help="The file that `lethe benchmark export` wrote.")],
    digest: Annotated[str | None, typer.Option(help="Refuse any benchmark but the one with this digest.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The directory to create; default: one in the data directory.")
    ] = None,
) -> None:
    """Unpack an exported benchmark and check every byte of it."""
    from services.core.bundle.archive import import_bundle
    from services.core.settings import load_settings

    settings = load_settings()
    settings.make_data_dir()
    settings.benchmarks_dir.mkdir(exist_ok=True)
    name = re.sub(r"[^a-z0-9-]+", "-", file.stem.lower()).strip("-") or "imported"
    bundle = import_bundle(file, out or settings.benchmarks_dir / name, digest=digest)
    say(f"Imported {bundle.manifest.name} ({bundle.manifest.digest}) to {bundle.root}.")


def publish(
    benchmark: Benchmark,
    accept_unfit: Annotated[
        str | None,
        typer.Option(help="Publish it although it is unfit, for this reason, which everyone sees beside its scores."),
    ] = None,
) -> None:
    """Put a benchmark into this installation's blob store, so that phases can use it. For operators.

    A reason for an unfit benchmark is written into its manifest, which changes its digest.
    """
    from services.core.bundle import acceptance
    from services.core.bundle import store as bundle_store
    from services.core.environments import other_torch
    from services.core.settings import load_settings
    from services.core.store.blobs import Blobs

    settings = load_settings()
    bundle = find(settings, benchmark)
    if accept_unfit is not None:
        bundle = acceptance.accept_unfit(bundle, accept_unfit)
    bundle.require_fit()
    with migrated_database(settings) as database, database.write() as session:
        row = bundle_store.publish(session, Blobs.from_settings(settings), bundle)
        digest = row.digest
        built_with = bundle.manifest.versions.get("torch", "")
        torch = other_torch(session, built_with)
    say(f"Published {bundle.manifest.name} as {digest}.")
    if bundle.manifest.accepted_unfit is not None:
        say(f"It is unfit, and everyone sees why you use it: {bundle.manifest.accepted_unfit}")
    if torch is not None:
        say(
            f"Its originals and oracles were made with torch {built_with}, but submissions run with torch {torch}. "
            "Small differences between the two may show in scores. To avoid them, build the benchmark again."
        )
