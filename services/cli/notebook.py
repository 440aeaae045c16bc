"""`lethe notebook …`: notebooks of the 2023 competition, run on this machine as a server would run them."""

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.console import milestone, print_json, progress, require_place, say
from services.cli.evaluate import print_outcome, read_file, require_oracle, scored

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Run notebooks of the 2023 Kaggle competition.")


@app.callback()
def _group() -> None:
    """Keep `run` a subcommand."""


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="The notebook (.ipynb), as it was on Kaggle.")],
    benchmark: Annotated[
        str, typer.Option(help="A ResNet-18 benchmark's name, or the directory of one.")
    ] = "faces-resnet18-tiny",
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Checkpoints to score; default: as many as the oracle has models.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only try it: stand-in data, `empty.txt` is there, nothing is scored.")
    ] = False,
    cuda_stand_in: Annotated[
        bool, typer.Option("--cuda-stand-in", help="Let it see CUDA; everything is computed on the CPU.")
    ] = False,
    take_first: Annotated[
        bool, typer.Option(help="Take the first checkpoints of a notebook that writes more, such as 512.")
    ] = True,
    timeout_s: Annotated[float, typer.Option(min=1, help="Longest time of the notebook, in seconds.")] = 28_800.0,
    metric: Annotated[str, typer.Option(help="The metric to score by: neurips-2023 or lethe-1.")] = "neurips-2023",
    save: Annotated[Path | None, typer.Option(help="Write the measurements here, for `lethe score`.")] = None,
    executed: Annotated[Path | None, typer.Option(help="Write the notebook with its outputs here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the JSON object of `lethe evaluate`.")] = False,
) -> None:
    """Run every cell in the layout of Kaggle, then measure and score the checkpoints in submission.zip.

    What the notebook prints appears as it comes. Exit status 1 when it failed; the reason is printed. Needs Docker.
    A notebook that writes 512 checkpoints needs up to 46 GB of disk.
    """
    for place in (save, executed):
        require_place(place)
    result = _run(file, benchmark, seeds, dry_run, cuda_stand_in, take_first, timeout_s, metric, save, executed)
    if as_json:
        print_json(result)
    elif result["state"] == "checked":
        typer.echo("The notebook ran to its end and left a submission.zip.")
    else:
        print_outcome(result)
    if result["state"] == "failed":
        raise typer.Exit(1)


def _run(
    file: Path,
    benchmark: str,
    seeds: int | None,
    dry_run: bool,
    cuda_stand_in: bool,
    take_first: bool,
    timeout_s: float,
    metric: str,
    save: Path | None,
    executed: Path | None,
) -> dict[str, Any]:
    from services.cli.building import find_or_build
    from services.core.bundle.measurements import Measurements
    from services.core.settings import load_settings
    from services.core.submission.notebook import check_notebook
    from services.core.submission.source import Rejected
    from services.scorer.scoring import find_metric, gather, score_measurements
    from services.worker.failures import RunFailed
    from services.worker.local import run_notebook_locally
    from services.worker.notebooks import NotebookLimits, NotebookRun

    find_metric(metric)
    settings = load_settings()
    data = read_file(file, settings.max_upload_bytes)
    bundle = find_or_build(settings, benchmark)
    count = seeds or bundle.manifest.oracle_seeds
    require_oracle(count, bundle.manifest.oracle_seeds)
    limits = NotebookLimits(
        seeds=count,
        timeout_s=timeout_s,
        memory_bytes=settings.slot_memory_bytes,
        data_hidden=False,
        dry=dry_run,
        cuda_stand_in=cuda_stand_in,
        take_first=take_first,
    )
    outcome: dict[str, Any] = {
        "sandbox": settings.resolved_sandbox.value,
        "seeds": count,
        "metric": metric,
        "benchmark": {"name": bundle.manifest.name, "digest": bundle.manifest.digest},
    }
    started = time.monotonic()
    run = NotebookRun()
    milestone(f"Running {file.name}")
    try:
        check_notebook(data, file.name)
        with progress() as bars:
            wanted = limits.wanted
            writing = bars.add_task("Checkpoints written", total=wanted, visible=False)
            measuring = bars.add_task("Checkpoints measured", total=count, visible=False)
            try:
                results, provenance = run_notebook_locally(
                    settings,
                    bundle,
                    data=data,
                    limits=limits,
                    run=run,
                    on_written=lambda written: bars.update(writing, completed=min(written, wanted), visible=True),
                    on_seed=lambda: bars.update(measuring, advance=1, visible=True),
                    on_log=_show_live,
                )
            finally:  # of most use where it failed
                if executed is not None and run.executed is not None:
                    executed.write_bytes(run.executed)
        if dry_run:
            return {"state": "checked", **outcome, "run_s": run.run_s, "wall_s": time.monotonic() - started}
        measured = Measurements.stack([result.blob for result in results])
        if save is not None:
            save.write_bytes(measured.to_bytes())
        each = results[0].run_s
        report = score_measurements(metric, gather(measured, bundle, run_s=each, independent=False))
    except (RunFailed, Rejected) as failure:
        kind = failure.kind.value if isinstance(failure, RunFailed) else "rejected"
        wall_s = round(time.monotonic() - started, 3)
        say("")
        return {"state": "failed", **outcome, "wall_s": wall_s, "failure": {"kind": kind, "message": failure.message}}
    return {
        "state": "scored",
        **outcome,
        **scored(report),
        "run_s": round(each, 6),
        "wall_s": round(time.monotonic() - started, 3),
        "peak_memory_bytes": run.peak_memory_bytes,
        "provenance": provenance,
    }


def _show_live(data: bytes) -> None:
    sys.stderr.buffer.write(data)
    sys.stderr.buffer.flush()
