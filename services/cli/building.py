"""Finding benchmarks, and building them while showing progress."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from services.cli.console import milestone, progress, say
from services.core.errors import NotFound

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from services.benchmarks.datasets import Dataset
    from services.benchmarks.definitions import Definition
    from services.benchmarks.disk import Disk
    from services.benchmarks.order import Order
    from services.core.bundle.directory import Bundle
    from services.core.settings import Settings

__all__ = ["build_order", "find", "find_or_build", "read_definition", "require_fit", "stages_on", "write_report"]

MILESTONES = 4  # lines of progress for each stage, if bars cannot be shown

Stages = Callable[[str, int, int], None]  # stage, done, total


def find_or_build(settings: "Settings", benchmark: str) -> "Bundle":
    """Open a benchmark by directory or name; build a named one that needs no files and is not there yet."""
    try:
        return find(settings, benchmark)
    except NotFound:
        from services.benchmarks.catalogue import DEFINITIONS
        from services.benchmarks.order import Order
        from services.scorer.scoring import forgetting_quality_of

        if benchmark not in DEFINITIONS or DEFINITIONS[benchmark].needs_data:
            raise
        say(f"The benchmark {benchmark} is not built yet. Building it now; this happens once.")
        if hours := DEFINITIONS[benchmark].hours:
            say(
                f"That takes about {hours:g} hours on 2 cores. If you have an archive of a release, import it instead: "
                f"press Ctrl-C, then run `lethe benchmark import {benchmark}.tar`."
            )
        with progress() as bars:
            stages = stages_on(bars)
            definition, dataset = read_definition(settings, benchmark, stages)
            order = Order(
                definition=definition,
                dataset=dataset,
                seeds=definition.seeds,
                quality=forgetting_quality_of,
                originals=definition.originals,
            )
            bundle = build_order(order, settings.benchmarks_dir / benchmark, [], stages)
        require_fit(bundle)
        return bundle


def find(settings: "Settings", benchmark: str) -> "Bundle":
    """Open a benchmark by directory or name. Raises NotFound."""
    from services.core.bundle.directory import Bundle

    for directory in (Path(benchmark), settings.benchmarks_dir / benchmark):
        if (directory / "manifest.json").is_file():
            return Bundle(directory)
    raise NotFound(
        f"There is no benchmark {benchmark}. Build one with `lethe benchmark build digits`; `lethe benchmark list` "
        "lists the others."
    )


def read_definition(
    settings: "Settings", name: str, stages: Stages, *, data: Path | None = None, scenario: str | None = None
) -> "tuple[Definition, Dataset]":
    """Find a definition and read its dataset."""
    from services.benchmarks.catalogue import find_definition

    definition = find_definition(name).with_scenario(scenario)
    return definition, definition.read(data, cache=settings.make_data_dir() / "datasets", progress=stages)


def build_order(order: "Order", destination: Path, parts: list[Path], stages: Stages) -> "Bundle":
    """Build a benchmark; print what is noticed in the data and the disk that it needs before, and its fitness after."""
    from services.benchmarks.build import build_benchmark

    def announce(disk: "Disk") -> None:
        words = f"This build takes up to {_size(disk.building)} of disk; the benchmark up to {_size(disk.bundle)}."
        if disk.checkpoints:
            words += f" The archive of checkpoints: {_size(disk.checkpoints)}."
        say(words)

    destination.parent.mkdir(parents=True, exist_ok=True)
    bundle = build_benchmark(
        order, destination, parts=parts, progress=stages, announce=announce, remark=lambda text: say(f"Note: {text}")
    )
    fitness = bundle.manifest.fitness
    say(
        f"Placebo ratio {fitness.placebo_ratio:.1f} (3 is needed), ceiling of F {fitness.ceiling:.3f}, test accuracy "
        f"of retrained models {fitness.oracle_test_accuracy:.1%}."
    )
    return bundle


def require_fit(bundle: "Bundle") -> None:
    """Leave a report beside an unfit benchmark, and raise UnfitBenchmark."""
    if bundle.manifest.fitness.problems:
        report = bundle.root.with_name(f"{bundle.root.name}.fitness.html")
        write_report(bundle, report)
        say(f"The benchmark stays in {bundle.root}, but it cannot be published as it is. Read the report: {report}")
    bundle.require_fit()


def write_report(bundle: "Bundle", report: Path) -> None:
    """Write a page with plots of a benchmark's fitness."""
    from services.scorer.report.fitness import render_fitness

    report.write_text(render_fitness(bundle), encoding="utf-8")


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def stages_on(bars: "Progress") -> Stages:
    """Show a bar for each stage, or a few lines with the time left if there is no terminal."""
    tasks: dict[str, TaskID] = {}
    started: dict[str, tuple[float, int, int]] = {}  # when, at which count, and how many lines were written

    def advance(stage: str, done: int, total: int) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total)
            started[stage] = (time.monotonic(), done, 0)
            milestone(f"Building: {stage}")
        bars.update(tasks[stage], completed=done)
        begun, at_first, told = started[stage]
        spent = time.monotonic() - begun
        if total and done < total and done > at_first and done * MILESTONES // total > told:
            started[stage] = (begun, at_first, done * MILESTONES // total)
            left = spent / (done - at_first) * (total - done)
            amount = f"{left:.0f} s" if left < 120 else f"{left / 60:.0f} min"
            milestone(f"  {done} of {total}, about {amount} left")

    return advance
