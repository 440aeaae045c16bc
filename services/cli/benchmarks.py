"""`lethe benchmark …`: build, inspect, verify and publish benchmarks."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from services.cli.console import milestone, print_json, progress, say
from services.core.bundle import Bundle
from services.core.errors import NotFound
from services.core.settings import Settings, load_settings

__all__ = ["app", "find", "find_or_build"]

app = typer.Typer(no_args_is_help=True, help="Build, inspect, verify and publish benchmarks.")
ORACLE_SEEDS = 512


@app.command()
def build(
    name: Annotated[str, typer.Argument(help="Which benchmark: digits.")],
    seeds: Annotated[int, typer.Option(min=8, help="Models retrained from scratch for the oracle.")] = ORACLE_SEEDS,
    out: Annotated[Path | None, typer.Option(help="Directory to make; default: in the data directory.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Train the original model and the oracle, check that the benchmark is fit, and write its bundle."""
    settings = load_settings()
    bundle = _build(name, out or settings.benchmarks_dir / name, seeds)
    _show(bundle, as_json)


@app.command()
def inspect(
    benchmark: Annotated[str, typer.Argument(help="A benchmark's name, or the directory of one.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Show what a benchmark is made of, and how fit it is."""
    _show(find(load_settings(), benchmark), as_json)


@app.command()
def verify(benchmark: Annotated[str, typer.Argument(help="A benchmark's name, or the directory of one.")]) -> None:
    """Check every file of a benchmark against its manifest."""
    bundle = find(load_settings(), benchmark)
    bundle.verify()
    say(f"{len(bundle.manifest.files)} files match the manifest of {bundle.manifest.name}.")


@app.command()
def split(
    dataset: Annotated[str, typer.Argument(help="A dataset that was published divided: casia-surf.")],
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
def publish(benchmark: Annotated[str, typer.Argument(help="A benchmark's name, or the directory of one.")]) -> None:
    """Put a benchmark into this installation's blob store, so that phases can use it. For operators."""
    from services.core import bundle_store
    from services.core.blobs import Blobs
    from services.core.database import Database

    settings = load_settings()
    bundle = find(settings, benchmark)
    database = Database(settings.resolved_database_url)
    with database.write() as session:
        row = bundle_store.publish(session, Blobs.from_settings(settings), bundle)
        digest = row.digest
    say(f"Published {bundle.manifest.name} as {digest}.")


def find_or_build(settings: Settings, benchmark: str) -> Bundle:
    """Open a benchmark by directory or name; build a named one that is not there yet."""
    try:
        return find(settings, benchmark)
    except NotFound:
        from services.benchmarks.definitions import DEFINITIONS

        if benchmark not in DEFINITIONS:
            raise
        say(f"The benchmark {benchmark} is not there yet; building it. This happens once.")
        return _build(benchmark, settings.benchmarks_dir / benchmark, ORACLE_SEEDS)


def find(settings: Settings, benchmark: str) -> Bundle:
    """Open a benchmark by directory or name. Raises NotFound."""
    for directory in (Path(benchmark), settings.benchmarks_dir / benchmark):
        if (directory / "manifest.json").is_file():
            return Bundle(directory)
    raise NotFound(f"There is no benchmark {benchmark}. Build one with `lethe benchmark build digits`.")


def _build(name: str, destination: Path, seeds: int) -> Bundle:
    from services.benchmarks.build import build_benchmark
    from services.scorer.scoring import forgetting_quality_of

    with progress() as bars:
        bundle = build_benchmark(
            name,
            destination,
            seeds=seeds,
            secret=None,
            forgetting_quality=forgetting_quality_of,
            progress=_stages(bars),
        )
    fitness = bundle.manifest.fitness
    say(f"Placebo ratio {fitness.placebo_ratio:.1f} (3 is needed), ceiling of F {fitness.ceiling:.3f}.")
    return bundle


def _stages(bars: Progress) -> Callable[[str, int, int], None]:
    tasks: dict[str, TaskID] = {}

    def advance(stage: str, done: int, total: int) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total)
            milestone(f"Building: {stage}")
        bars.update(tasks[stage], completed=done)

    return advance


def _show(bundle: Bundle, as_json: bool) -> None:
    manifest = bundle.manifest
    if as_json:
        print_json({"digest": manifest.digest, "directory": str(bundle.root), **manifest.model_dump(mode="json")})
        return
    counts = manifest.counts
    typer.echo(f"{manifest.title} ({manifest.name})")
    typer.echo(f"  digest          {manifest.digest}")
    typer.echo(f"  directory       {bundle.root}")
    typer.echo(f"  scenario        {manifest.scenario}")
    typer.echo(
        f"  images          {counts.retain} retain, {counts.forget} forget, {counts.validation} validation, "
        f"{counts.test} test"
    )
    typer.echo(f"  oracle          {manifest.oracle_seeds} models retrained from scratch")
    typer.echo(f"  placebo ratio   {manifest.fitness.placebo_ratio:.2f}")
    typer.echo(f"  ceiling of F    {manifest.fitness.ceiling:.4f}")
    typer.echo(f"  licence         {manifest.licence}")
