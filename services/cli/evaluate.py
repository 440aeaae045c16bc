"""`lethe evaluate`: the whole of an evaluation on this machine, with no server."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.console import milestone, print_json, progress, require_place, say
from services.core.errors import BadInput

if TYPE_CHECKING:
    from services.scorer.scoring import Report

__all__ = ["evaluate", "print_outcome", "read_file", "require_oracle", "scored"]


def evaluate(
    file: Annotated[Path, typer.Argument(help="The module (.py) or archive (.zip) to evaluate.")],
    benchmark: Annotated[str, typer.Option(help="A benchmark's name, or the directory of one.")] = "digits",
    seeds: Annotated[int, typer.Option(min=1, help="How many times to run it. The 2023 competition ran 512.")] = 64,
    timeout_s: Annotated[float, typer.Option(min=0.1, help="Longest time for one run, in seconds.")] = 60.0,
    metric: Annotated[str, typer.Option(help="The metric to score by: neurips-2023 or lethe-1.")] = "neurips-2023",
    save: Annotated[Path | None, typer.Option(help="Write the measurements here, for `lethe score`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Run, measure and score a submission locally: the same sandbox and the same numbers as on a server.

    Exit status 1 when the submission failed; the reason is printed.
    """
    result = _evaluate(file, benchmark, seeds, timeout_s, metric, save)
    if as_json:
        print_json(result)
    else:
        print_outcome(result)
    if result["state"] == "failed":
        raise typer.Exit(1)


def _evaluate(
    file: Path, benchmark: str, seeds: int, timeout_s: float, metric: str, save: Path | None
) -> dict[str, Any]:
    from services.cli.building import find_or_build
    from services.core.settings import load_settings
    from services.core.submission import file as submission_file
    from services.core.submission.source import Rejected
    from services.scorer.scoring import find_metric, gather, score_measurements
    from services.worker.failures import RunFailed
    from services.worker.local import run_locally
    from services.worker.supervisor import RunLimits

    find_metric(metric)
    require_place(save)
    settings = load_settings()
    data = read_file(file, settings.max_upload_bytes)
    started = time.monotonic()
    outcome: dict[str, Any] = {"sandbox": settings.resolved_sandbox.value, "seeds": seeds, "metric": metric}
    if file.suffix.lower() == ".ipynb":
        raise BadInput(f"{file.name} is a notebook: run it with `lethe notebook run {file}`.")
    try:
        claim = submission_file.check(file.name, data).claim
        bundle = find_or_build(settings, benchmark)
        require_oracle(seeds, bundle.manifest.oracle_seeds)
        outcome["benchmark"] = {"name": bundle.manifest.name, "digest": bundle.manifest.digest}
        limits = RunLimits(seeds, timeout_s, settings.slot_memory_bytes, data_hidden=False)
        milestone(f"Running {file.name} {seeds} times")
        with progress() as bars:
            task = bars.add_task(f"Running {file.name}", total=seeds)
            run = run_locally(
                settings,
                bundle,
                filename=file.name,
                data=data,
                limits=limits,
                on_seed=lambda: bars.advance(task),
            )
        if save is not None:
            save.write_bytes(run.measurements.to_bytes())
        report = score_measurements(metric, gather(run.measurements, bundle, run_s=run.run_s, claim=claim))
    except (RunFailed, Rejected) as failure:
        kind = failure.kind.value if isinstance(failure, RunFailed) else "rejected"
        wall_s = round(time.monotonic() - started, 3)
        return {"state": "failed", **outcome, "wall_s": wall_s, "failure": {"kind": kind, "message": failure.message}}
    return {
        "state": "scored",
        **outcome,
        **scored(report),
        "run_s": round(run.run_s, 6),
        "wall_s": round(time.monotonic() - started, 3),
        "peak_memory_bytes": run.peak_memory_bytes,
        "provenance": run.provenance,
    }


def scored(report: "Report") -> dict[str, Any]:
    """Give what a score says, as a program reads it."""
    card = report.card
    return {
        "scores": {
            name: {"value": estimate.value, "ci_low": estimate.low, "ci_high": estimate.high}
            for name in ("forgetting_quality", "utility", "final_score")
            for estimate in [getattr(card, name)]
        },
        "distinct_models": card.distinct_models,
        "effective_models": card.effective_models,
        "flags": list(card.flags),
        "alarms": [{"kind": alarm.kind.value, "message": alarm.message} for alarm in report.alarms],
        "suites": report.suites,
        "certificate": report.certificate and asdict(report.certificate),
    }


def read_file(file: Path, limit_bytes: int) -> bytes:
    """Read what is to be evaluated. Raises BadInput."""
    if not file.is_file():
        raise BadInput(f"There is no file {file}.")
    if file.stat().st_size > limit_bytes:
        raise BadInput(f"{file} is larger than the limit of {limit_bytes:,} bytes.")
    return file.read_bytes()


def require_oracle(seeds: int, oracle_seeds: int) -> None:
    """Raise BadInput where a benchmark has fewer models to compare with."""
    if seeds > oracle_seeds:
        raise BadInput(f"The benchmark's oracle has {oracle_seeds} models; ask for at most --seeds {oracle_seeds}.")


def print_outcome(result: dict[str, Any]) -> None:
    """Print an outcome in words."""
    if result["state"] == "failed":
        say(f"Failed ({result['failure']['kind']}): {result['failure']['message']}")
        return
    for name, estimate in result["scores"].items():
        label = name.replace("_", " ")
        typer.echo(f"{label:<20}{estimate['value']:.4f}   95 % {estimate['ci_low']:.4f} to {estimate['ci_high']:.4f}")
    typer.echo(f"{'runs':<20}{result['seeds']} ({result['run_s']:.3f} s each, {result['wall_s']:.1f} s in all)")
    typer.echo(f"{'peak memory':<20}{result['peak_memory_bytes'] / 1e6:,.0f} MB (of the largest process of a run)")
    if certificate := result["certificate"]:
        _print_certificate(certificate)
    for flag in result["flags"]:
        typer.echo(f"{'flag':<20}{flag}")
    for alarm in result["alarms"]:
        typer.echo(f"{'alarm':<20}{alarm['kind']}: {alarm['message']}")


def _print_certificate(found: dict[str, Any]) -> None:
    """Print a claimed epsilon beside the accountant's and what the runs prove."""
    typer.echo(f"{'epsilon, claimed':<20}{found['epsilon']:g} at delta {found['delta']:g}")
    if found["accountant_epsilon"] is not None:
        typer.echo(f"{'  accountant':<20}{found['accountant_epsilon']:.4g}")
    if found["audited_epsilon"] is not None:
        typer.echo(
            f"{'  proven':<20}{found['audited_epsilon']:.2f} (at most {found['largest_auditable']:.2f} could be)"
        )
    for note in found["notes"]:
        typer.echo(f"{'  note':<20}{note}")
