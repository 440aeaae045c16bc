"""`lethe benchmark …`: build, inspect, verify, carry and publish benchmarks."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli import benchmark_build, benchmark_transport, benchmark_uploads
from services.cli.benchmark_facts import AsJson, Benchmark, show
from services.cli.building import find, stages_on, write_report
from services.cli.console import print_json, progress, require_place, say

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Build, inspect, verify, carry, upload and publish benchmarks.")


@app.command("list")
def list_definitions() -> None:
    """List the benchmarks that can be built by name."""
    from services.benchmarks.catalogue import DEFINITIONS

    for one in DEFINITIONS.values():
        files = "needs --data" if one.needs_data else "needs no files"
        typer.echo(f"{one.name:<20} {one.title} · {one.architecture} · {files}")


app.command()(benchmark_build.build)


@app.command()
def card(
    benchmark: Benchmark,
    models: Annotated[int, typer.Option(min=16, help="The most models on each side of a draw.")] = 128,
    draws: Annotated[int, typer.Option(min=38, help="Draws of retrained models; half of them set limits.")] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="Print the card as JSON.")] = False,
) -> None:
    """Show how each number behaves on models about which the truth is known: false alarms, and power.

    It takes minutes, and needs 48 retrained models or more in both oracles together. Keep the JSON for reports:
    `lethe score --report --card`.
    """
    from services.cli.reliability import compute_card, print_card
    from services.core.settings import load_settings

    bundle = find(load_settings(), benchmark)
    found = {"benchmark": bundle.manifest.digest, **compute_card(bundle, models=models, draws=draws)}
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


app.command("export")(benchmark_transport.export_)
app.command()(benchmark_transport.release)
app.command("import")(benchmark_transport.import_)


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


app.command()(benchmark_transport.publish)
app.command()(benchmark_uploads.upload)
app.command()(benchmark_uploads.uploads)
app.command()(benchmark_uploads.consent)
app.command()(benchmark_uploads.refuse)
