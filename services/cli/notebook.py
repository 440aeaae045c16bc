"""`lethe notebook …`: notebooks of the 2023 competition, run on this machine as a server would run them."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.console import milestone, print_json, progress, require_place, say
from services.cli.evaluate import print_outcome, read_file, scored
from services.core.catalogue import DEFAULT_METRIC, find_metric, metric_names
from services.core.errors import BadInput

if TYPE_CHECKING:
    from services.core.bundle.manifest import Manifest
    from services.core.models import EnvironmentRow
    from services.worker.notebooks import Mode, NotebookLimits
    from services.worker.station import Traces

__all__ = ["app"]

WHOLE_RUN_S = 28_800.0

app = typer.Typer(no_args_is_help=True, help="Run notebooks of the 2023 Kaggle competition.")


@app.callback()
def _group() -> None:
    """Keep `run` a subcommand."""


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="The notebook (.ipynb), unchanged from Kaggle.")],
    benchmark: Annotated[
        str, typer.Option(help="A ResNet-18 benchmark's name, or its directory.")
    ] = "faces-resnet18-tiny",
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Checkpoints to score; default: as many as the oracle has models.")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only try the notebook on stand-in data, with `empty.txt`. Nothing is scored."),
    ] = False,
    rehearse: Annotated[
        bool,
        typer.Option("--rehearse", help="Let the notebook unlearn stand-in data, twice, and judge both checkpoints."),
    ] = False,
    cuda_stand_in: Annotated[
        bool, typer.Option("--cuda-stand-in", help="Let the notebook see CUDA; everything is computed on the CPU.")
    ] = False,
    take_first: Annotated[
        bool, typer.Option(help="Take the first checkpoints of a notebook that writes more, such as 512.")
    ] = True,
    timeout_s: Annotated[
        float | None,
        typer.Option(min=1, help="The notebook's longest time, in seconds; default: 28800, or 1200 for a rehearsal."),
    ] = None,
    metric: Annotated[str, typer.Option(help=f"The metric to score by: {metric_names()}.")] = DEFAULT_METRIC,
    environment: Annotated[str | None, typer.Option(help="Run it in this environment, such as kaggle-2023.")] = None,
    save: Annotated[Path | None, typer.Option(help="Write the measurements to this file, for `lethe score`.")] = None,
    executed: Annotated[Path | None, typer.Option(help="Write the notebook with its outputs to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the same JSON object as `lethe evaluate`.")] = False,
) -> None:
    """Run every cell in Kaggle's directory layout, then measure and score the checkpoints in submission.zip.

    The notebook's output appears while it runs. The exit status is 1 if the notebook failed; the reason is printed.
    Needs Docker, and up to 46 GB of disk for 512 checkpoints.
    """
    if dry_run and rehearse:
        raise BadInput("A run is a dry run or a rehearsal. Leave out --dry-run or --rehearse.")
    for place in (save, executed):
        require_place(place)
    from services.core.submission.notebook import REHEARSAL_S
    from services.worker.notebooks import Mode

    result = _run(
        _Wish(
            file=file,
            benchmark=benchmark,
            seeds=seeds,
            mode=Mode.DRY if dry_run else Mode.REHEARSAL if rehearse else Mode.FULL,
            cuda_stand_in=cuda_stand_in,
            take_first=take_first,
            timeout_s=timeout_s or (REHEARSAL_S if rehearse else WHOLE_RUN_S),
            metric=metric,
            environment=environment,
            save=save,
            executed=executed,
        )
    )
    if as_json:
        print_json(result)
    elif result["state"] == "checked":
        typer.echo(result["message"])
    else:
        print_outcome(result)
    if result["state"] == "failed":
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Wish:
    """The arguments and options of the command."""

    file: Path
    benchmark: str
    seeds: int | None
    mode: "Mode"
    cuda_stand_in: bool
    take_first: bool
    timeout_s: float
    metric: str
    environment: str | None
    save: Path | None
    executed: Path | None


def _run(wish: _Wish) -> dict[str, Any]:
    from services.cli.building import find_or_build
    from services.cli.environment import find_here
    from services.core.bundle.measurements import Measurements
    from services.core.settings import load_settings
    from services.core.submission.source import Rejected
    from services.scorer.scoring import gather, score_measurements
    from services.worker.environments import place_in
    from services.worker.failures import RunFailed
    from services.worker.local import run_notebook_locally
    from services.worker.notebooks import Mode, NotebookLimits
    from services.worker.station import OWN, Traces

    find_metric(wish.metric)
    settings = load_settings()
    chosen = find_here(settings, wish.environment) if wish.environment else None
    place = place_in(chosen) if chosen else OWN
    data = read_file(wish.file, settings.max_upload_bytes)
    bundle = find_or_build(settings, wish.benchmark)
    count = _count(wish, bundle.manifest)
    limits = NotebookLimits(
        seeds=count,
        timeout_s=wish.timeout_s,
        memory_bytes=settings.slot_memory_bytes,
        data_hidden=False,
        mode=wish.mode,
        cuda_stand_in=wish.cuda_stand_in,
        take_first=wish.take_first,
    )
    outcome: dict[str, Any] = {
        "sandbox": settings.resolved_sandbox.value,
        "seeds": count,
        "metric": wish.metric,
        "benchmark": {"name": bundle.manifest.name, "digest": bundle.manifest.digest},
    }
    traces = Traces(on_log=_show_live)
    started = time.monotonic()
    milestone(f"Running {wish.file.name}")
    try:
        _check_file(wish.file.name, data, chosen)
        with progress() as bars:
            wanted = limits.wanted
            writing = bars.add_task("Checkpoints written", total=wanted, visible=False)
            measuring = bars.add_task("Checkpoints measured", total=count, visible=False)
            traces.on_written = lambda written: bars.update(writing, completed=min(written, wanted), visible=True)
            try:
                results, provenance = run_notebook_locally(
                    settings,
                    bundle,
                    data=data,
                    limits=limits,
                    place=place,
                    traces=traces,
                    on_seed=lambda: bars.update(measuring, advance=1, visible=True),
                )
            finally:  # most useful if the notebook failed
                if wish.executed is not None and traces.executed is not None:
                    wish.executed.write_bytes(traces.executed)
        if wish.mode is not Mode.FULL:
            told = {"message": _checked(limits, traces), "run_s": traces.run_s, "wall_s": time.monotonic() - started}
            return {"state": "checked", **outcome, **told}
        measured = Measurements.stack([result.blob for result in results])
        if wish.save is not None:
            wish.save.write_bytes(measured.to_bytes())
        each = results[0].run_s
        report = score_measurements(wish.metric, gather(measured, bundle, run_s=each, independent=False))
    except (RunFailed, Rejected) as failure:
        kind = failure.kind.value if isinstance(failure, RunFailed) else "rejected"
        wall_s = round(time.monotonic() - started, 3)
        say("")
        return {"state": "failed", **outcome, "wall_s": wall_s, "failure": {"kind": kind, "message": failure.message}}
    return {
        "state": "scored",
        **outcome,
        **scored(report, each),
        "wall_s": round(time.monotonic() - started, 3),
        "peak_memory_bytes": traces.peak_memory_bytes,
        "provenance": provenance,
    }


def _check_file(name: str, data: bytes, environment: "EnvironmentRow | None") -> None:
    """Judge the notebook, and warn of packages that a named environment lacks. Raises NotANotebook."""
    from services.core.environments import python_of
    from services.core.submission.cells import cell_imports
    from services.core.submission.notebook import check_notebook
    from services.core.submission.packages import require_packages

    check_notebook(data, name)
    if environment is not None:
        for warning in require_packages(cell_imports(data, name, python_of(environment)), environment):
            say(f"warning: {warning}")


def _count(wish: _Wish, manifest: "Manifest") -> int:
    """Return N: of a rehearsal its own, otherwise what was asked for, or as many as the oracle has models."""
    from services.core.bundle.manifest import require_oracle
    from services.core.submission.notebook import REHEARSAL_CHECKPOINTS
    from services.worker.notebooks import Mode

    if wish.mode is Mode.REHEARSAL:
        return wish.seeds or REHEARSAL_CHECKPOINTS
    count = wish.seeds or manifest.oracle_seeds
    require_oracle(count, manifest.oracle_seeds)
    return count


def _checked(limits: "NotebookLimits", traces: "Traces") -> str:
    """Tell a success as what it is."""
    from services.core.submission.notebook import trial_words
    from services.worker.notebooks import Mode

    rehearsed = limits.mode is Mode.REHEARSAL
    made = trial_words(rehearsed=rehearsed, checkpoints=limits.seeds, unlearned=traces.unlearned)
    if not traces.ended_early:
        return made
    return (
        f"{made} It went on to make more than LETHE_SEEDS asks for, so it was ended: a phase must ask for as many, or "
        "take the first ones."
    )


def _show_live(data: bytes) -> None:
    sys.stderr.buffer.write(data)
    sys.stderr.buffer.flush()
