"""Every baseline through the real pipeline: `make baselines`, or `python -m studies.baselines`.

The command writes docs/baselines.md. If it is interrupted, start it again to continue. Its files are in the data
directory, under `baselines`; benchmarks are built on first use. Only changed baselines and benchmarks are run again.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from services.benchmarks.catalogue import DEFINITIONS
from services.benchmarks.order import Order
from services.cli.building import build_order, find, read_definition, stages_on
from services.cli.console import milestone, progress, say
from services.cli.demo import baseline_files
from services.cli.operator import setup
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import require_oracle
from services.core.errors import BadInput, LetheError, NotFound
from services.core.models import Device
from services.core.settings import Settings, load_settings
from services.scorer.scoring import forgetting_quality_of
from services.worker.slots import find_gpus
from studies.baselines.competition import Contest, installation, open_site
from studies.baselines.entries import Entry, find_entries
from studies.baselines.page import Board, Machine, ScenarioPart, write_page
from studies.baselines.scenarios import Store, forgotten_in_test, reference_rows, row_of

BOARDS = {"digits": 512, "faces-resnet18": 64}  # runs of each entry
SCENARIOS = ("digits-pairs-random", "digits-pairs-class", "digits-pairs-subclass", "faces-resnet18-class")
SCENARIO_RUNS = 16
PAGE = Path(__file__).parents[2] / "docs" / "baselines.md"


@dataclass(frozen=True, slots=True)
class Choice:
    """The part that is run now; the page also shows earlier results of the rest."""

    entries: frozenset[str]
    benchmarks: frozenset[str]
    seeds: int | None

    def chosen(self, entries: Sequence[Entry]) -> list[Entry]:
        return [entry for entry in entries if entry.name in self.entries]


def main(
    only: Annotated[list[str] | None, typer.Option(help="Run only this baseline. Repeatable.")] = None,
    benchmark: Annotated[list[str] | None, typer.Option(help="Run only on this benchmark. Repeatable.")] = None,
    seeds: Annotated[
        int | None, typer.Option(min=8, help="Runs of each entry on the leaderboards, for a quick trial.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port to serve on while the command runs.")] = 8766,
    out: Annotated[Path, typer.Option(help="Path of the page to write.")] = PAGE,
) -> None:
    """Run every baseline on every benchmark, through API, sandbox and scorer, and write the page of results."""
    choice = _choice(only, benchmark, seeds)
    settings = load_settings()
    if settings.sandbox is None:
        setup(again=False)
        settings = load_settings()
    own = installation(settings, port)
    gpus = find_gpus()
    gpu = gpus[0].name if gpus else None
    boards, torch_inside = _run_boards(settings, own, choice)
    torch = version("torch").partition("+")[0]
    machine = Machine(os.cpu_count() or 1, torch, own.resolved_sandbox.value, torch_inside, gpu)
    scenarios = [part for name in SCENARIOS if (part := _run_scenario(settings, own, name, choice)) is not None]
    out.write_text(write_page(machine, boards, scenarios, baselines=len(baseline_files())), encoding="utf-8")
    say(f"Wrote {out}.")


def _choice(only: list[str] | None, benchmark: list[str] | None, seeds: int | None) -> Choice:
    names, benchmarks = {path.stem for path in baseline_files()}, {*BOARDS, *SCENARIOS}
    for asked, known, what in ((only, names, "baseline"), (benchmark, benchmarks, "benchmark")):
        if unknown := set(asked or ()) - known:
            raise BadInput(f"There is no {what} {', '.join(sorted(unknown))}. Choose of: {', '.join(sorted(known))}.")
    return Choice(frozenset(only or names), frozenset(benchmark or benchmarks), seeds)


def _run_boards(settings: Settings, own: Settings, choice: Choice) -> tuple[list[Board], str | None]:
    """Run everything that is missing; return the boards, and the version of torch in the sandbox."""
    contests = []
    for name, count in BOARDS.items():
        runs = choice.seeds or count
        bundle = _bundle(settings, name, runs, build=name in choice.benchmarks)
        if bundle is not None:
            require_oracle(runs, bundle.manifest.oracle_seeds)
            contests.append((Contest(bundle, runs, _device(bundle)), find_entries(bundle.manifest.recipe)))
    with open_site(own) as site:
        ids = [
            one
            for contest, entries in contests
            if contest.bundle.manifest.name in choice.benchmarks
            for one in site.submit(contest, choice.chosen(entries))
        ]
        site.watch(ids)
        boards = [
            Board(contest.bundle.manifest, contest.seeds, rows)
            for contest, entries in contests
            if (rows := site.rows(contest, entries))
        ]
        return boards, site.torch()


def _run_scenario(settings: Settings, own: Settings, name: str, choice: Choice) -> ScenarioPart | None:
    definition = DEFINITIONS[name]
    run_now = name in choice.benchmarks
    bundle = _bundle(settings, name, definition.seeds, build=run_now)
    if bundle is None:
        return None
    store = Store(own, own.data_dir / "scenarios", _device(bundle))
    forgotten = forgotten_in_test(definition, bundle, cache=settings.data_dir / "datasets")
    rows = reference_rows(bundle, SCENARIO_RUNS, forgotten)
    with progress() as bars:
        for entry in find_entries(bundle.manifest.recipe):
            wanted = run_now and entry.name in choice.entries
            if not wanted and not store.place(bundle, entry, SCENARIO_RUNS).is_file():
                continue
            milestone(f"{name}: {entry.name}")
            task = bars.add_task(f"{name}: {entry.name}", total=SCENARIO_RUNS)
            ran = store.run(bundle, entry, SCENARIO_RUNS, partial(bars.advance, task))
            rows.append(row_of(entry.name, ran, bundle, forgotten))
    return ScenarioPart(bundle.manifest, definition, SCENARIO_RUNS, rows)


def _device(bundle: Bundle) -> Device:
    """Run networks with convolutions on a GPU if there is one. An mlp of this size is faster on the CPU."""
    return Device.GPU if bundle.manifest.architecture != "mlp" and find_gpus() else Device.CPU


def _bundle(settings: Settings, name: str, seeds: int, *, build: bool) -> Bundle | None:
    """Open a benchmark, or build it with this many models in each oracle, even if it is unfit for a competition."""
    try:
        return find(settings, name)
    except NotFound:
        if not build:
            return None
    say(f"The benchmark {name} is not built yet. Building it now; this happens once.")
    with progress() as bars:
        stages = stages_on(bars)
        definition, dataset = read_definition(settings, name, stages)
        order = Order(
            definition=definition,
            dataset=dataset,
            seeds=seeds,
            quality=forgetting_quality_of,
            originals=definition.originals,
        )
        return build_order(order, settings.benchmarks_dir / name, [], stages)


if __name__ == "__main__":
    try:
        typer.run(main)
    except LetheError as error:
        say(f"baselines: {error.message}")
        sys.exit(1)
