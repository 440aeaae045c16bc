"""`lethe benchmark …`: build, inspect, verify, carry and publish benchmarks."""

import re
from pathlib import Path
from typing import Annotated

import typer

from services.cli.benchmark_facts import show
from services.cli.building import build_order, find, read_definition, require_fit, stages_on, write_report
from services.cli.console import print_json, progress, require_place, say
from services.cli.databases import migrated_database
from services.core.errors import BadInput

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Build, inspect, verify, carry and publish benchmarks.")
SMALLEST_ORACLE = 8

Benchmark = Annotated[str, typer.Argument(help="A benchmark's name, or its directory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")]


@app.command("list")
def list_definitions() -> None:
    """List the benchmarks that can be built by name."""
    from services.benchmarks.catalogue import DEFINITIONS

    for one in DEFINITIONS.values():
        files = "needs --data" if one.needs_data else "needs no files"
        typer.echo(f"{one.name:<20} {one.title} · {one.architecture} · {files}")


@app.command()
def build(
    name: Annotated[str, typer.Argument(help="The benchmark to build; `lethe benchmark list` shows them.")],
    seeds: Annotated[
        str | None,
        typer.Option(help="Models in each oracle, often 512; or A:B, only those from A to below B, to share the work."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="The directory that holds the dataset's files.")] = None,
    scenario: Annotated[
        str | None,
        typer.Option(help="What to forget: random:500, random:10%, subjects:15, class:3, subclass:7."),
    ] = None,
    secret_file: Annotated[
        Path | None,
        typer.Option(help="The secret that all seeds derive from; created if missing. Default: random, not kept."),
    ] = None,
    drawn_for: Annotated[
        str | None,
        typer.Option("--for", help="For each such name, draw another split, forget set and original from the secret."),
    ] = None,
    originals: Annotated[
        int | None,
        typer.Option(
            min=1, max=64, help="Original models over which runs are spread. Default: 8; for notebooks' benchmarks 1."
        ),
    ] = None,
    parts: Annotated[
        list[Path] | None,
        typer.Option("--from", help="A part that another machine built with --seeds A:B. Repeatable."),
    ] = None,
    keep_checkpoints: Annotated[
        bool, typer.Option(help="Also pack the oracles' models into a zip beside the benchmark.")
    ] = False,
    robustness: Annotated[
        bool, typer.Option(help="Also measure what the robustness stage of a phase compares with.")
    ] = False,
    rehearsal: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Build nothing: measure memory, disk and speed at full size. Without --data, on stand-ins.",
        ),
    ] = False,
    bundle_name: Annotated[str | None, typer.Option("--name", help="The name to give it.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The directory to create; default: one in the data directory.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train the original model and the oracle, check that the benchmark is fit, and write its bundle.

    Run the same command again after an interruption: finished models are kept.

    \b
    Before you buy data or machines for a long build, measure what it takes:
      lethe benchmark build casia-surf --dry-run

    \b
    For a competition, make the final benchmark before it begins, and keep the secret until it ends:
      lethe benchmark build digits --for public --secret-file secret
      lethe benchmark build digits --for final --secret-file secret

    \b
    To share the work, copy the secret to every machine, and copy the parts that they build to one of them:
      lethe benchmark build digits --seeds 0:256 --secret-file secret --out part-a
      lethe benchmark build digits --seeds 256:512 --secret-file secret --out part-b
      lethe benchmark build digits --seeds 512 --secret-file secret --from part-a --from part-b
    """
    from services.benchmarks.build import train_part
    from services.benchmarks.order import Order
    from services.benchmarks.resuming import read_secret
    from services.core.settings import load_settings
    from services.scorer.scoring import forgetting_quality_of

    settings = load_settings()
    first, last = (None, None) if seeds is None else _range_of(seeds)
    if (drawn_for is not None or first is not None) and secret_file is None:
        raise BadInput("Name a file for the secret with --secret-file. It is created if it does not exist.")
    if drawn_for is not None and not re.fullmatch(r"[a-z0-9-]{1,20}", drawn_for):
        raise BadInput("--for takes up to 20 lower-case letters, digits and hyphens, such as final.")
    if rehearsal:
        from services.benchmarks.catalogue import find_definition
        from services.cli.rehearsing import dry_run, refuse_with_dry_run

        part = first is not None
        refuse_with_dry_run(
            **{"seeds A:B": part, "from": bool(parts), "robustness": robustness, "out": out is not None}
        )
        definition = find_definition(name).with_scenario(scenario)
        dry_run(
            settings,
            definition,
            data=data,
            seeds=last or definition.seeds,
            originals=originals or definition.originals,
            keep_checkpoints=keep_checkpoints,
            as_json=as_json,
        )
        return
    called = bundle_name or _default_name(name, drawn_for, scenario)
    with progress() as bars:
        stages = stages_on(bars)
        definition, dataset = read_definition(settings, name, stages, data=data, scenario=scenario)
        order = Order(
            definition=definition,
            dataset=dataset,
            seeds=last or definition.seeds,
            quality=forgetting_quality_of,
            name=called,
            scenario_text=scenario,
            secret=None if secret_file is None else read_secret(secret_file, make=True),
            drawn_for=drawn_for,
            keep_checkpoints=keep_checkpoints,
            robustness=robustness,
            originals=originals or definition.originals,
        )
        if first is not None and last is not None:
            place = out or settings.benchmarks_dir / f"{called}.part-{first}-{last}"
            train_part(order, place, first, last, progress=stages)
            say(f"Models {first} to {last - 1} of both oracles are in {place}. Pass it to the build with --from.")
            return
        bundle = build_order(order, out or settings.benchmarks_dir / called, parts or [], stages)
    show(bundle, as_json)
    require_fit(bundle)


@app.command()
def card(
    benchmark: Benchmark,
    models: Annotated[int, typer.Option(min=16, help="The most models on each side of a draw.")] = 128,
    draws: Annotated[int, typer.Option(min=38, help="Draws of retrained models; half of them set limits.")] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="Print the card as JSON.")] = False,
) -> None:
    """Show how each number behaves on models about which the truth is known: false alarms, and power.

    It takes minutes, and needs 48 retrained models or more in both oracles together.
    """
    from services.cli.reliability import compute_card, print_card
    from services.core.settings import load_settings

    found = compute_card(find(load_settings(), benchmark), models=models, draws=draws)
    if as_json:
        print_json(found)
    else:
        print_card(found)


@app.command()
def inspect(
    benchmark: Benchmark,
    report: Annotated[Path | None, typer.Option(help="Also write a page with plots of its fitness.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a benchmark is made of, and how fit it is."""
    from services.core.settings import load_settings

    require_place(report)
    bundle = find(load_settings(), benchmark)
    if report is not None:
        write_report(bundle, report)
    show(bundle, as_json)


@app.command()
def verify(
    benchmark: Benchmark,
    secret_file: Annotated[
        Path | None, typer.Option(help="The revealed secret: split the dataset again and compare.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="The directory that holds the dataset's files.")] = None,
) -> None:
    """Check every file of a benchmark against its manifest and, given its secret, that it was drawn as promised."""
    from services.core.settings import load_settings

    settings = load_settings()
    bundle = find(settings, benchmark)
    bundle.verify()
    say(f"{len(bundle.manifest.files)} files match the manifest of {bundle.manifest.name}.")
    if secret_file is not None:
        from services.benchmarks.resuming import read_secret
        from services.benchmarks.revealing import check_reveal

        with progress() as bars:
            count = check_reveal(
                bundle,
                read_secret(secret_file),
                data=data,
                cache=settings.make_data_dir() / "datasets",
                progress=stages_on(bars),
            )
        say(f"The secret matches the benchmark's commitment and gives this split of {count} examples.")


@app.command("export")
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


@app.command()
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


@app.command("import")
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


@app.command()
def split(
    dataset: Annotated[str, typer.Argument(help="A dataset that was published with a split: casia-surf.")],
    data: Annotated[Path, typer.Option(help="The directory that holds its files.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the paths as JSON.")] = False,
) -> None:
    """Show how the 2023 evaluation divides a dataset, without reading its images or training anything.

    Paths are relative to the directory, in the order in which models see them.
    """
    from services.benchmarks.datasets.registry import divide

    parts = divide(dataset, data)
    if as_json:
        print_json(parts)
        return
    for name, paths in parts.items():
        typer.echo(f"{name:<12}{len(paths):>7} images, from {paths[0]}")


@app.command()
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


def _range_of(seeds: str) -> tuple[int | None, int]:
    """Read 512 as (None, 512), and 0:256 as (0, 256)."""
    first, colon, last = seeds.rpartition(":")
    if not last.isdecimal() or (colon and not first.isdecimal()):
        raise BadInput(f"--seeds takes a number such as 512 or a range such as 0:256, not {seeds}.")
    if not colon and int(last) < SMALLEST_ORACLE:
        raise BadInput(f"An oracle needs at least {SMALLEST_ORACLE} models.")
    return int(first) if colon else None, int(last)


def _default_name(name: str, drawn_for: str | None, scenario: str | None) -> str:
    words = [name, *(re.sub(r"[^a-z0-9]+", "-", word).strip("-") for word in (scenario, drawn_for) if word)]
    return "-".join(words)
