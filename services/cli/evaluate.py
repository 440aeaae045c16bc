"""`lethe evaluate`: a whole evaluation on this machine, without a server."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.console import (
    milestone,
    print_estimates,
    print_json,
    print_marks,
    print_noise,
    print_suite,
    progress,
    require_place,
    say,
)
from services.cli.drafts import BadDraft, Draft, MetricFiles, beside_the_board, load_drafts, print_beside
from services.cli.extras import Extras, cost_in_words, cost_of_runs
from services.core.catalogue import DEFAULT_METRIC, find_metric, metric_names
from services.core.errors import BadInput

if TYPE_CHECKING:
    from services.core.models.costs import CostForm
    from services.scorer.metrics import Evidence
    from services.scorer.scoring import Report

PRINTED_LINES = 40  # of what the runs printed, in text; the JSON has all that is kept

__all__ = ["evaluate", "print_outcome", "read_file", "scored"]


def evaluate(
    file: Annotated[Path, typer.Argument(help="The module (.py) or archive (.zip) to evaluate.")],
    benchmark: Annotated[str, typer.Option(help="A benchmark's name, or its directory.")] = "digits",
    seeds: Annotated[int, typer.Option(min=1, help="The number of runs. The 2023 competition used 512.")] = 64,
    timeout_s: Annotated[float, typer.Option(min=0.1, help="The longest time of one run, in seconds.")] = 60.0,
    metric: Annotated[str, typer.Option(help=f"The metric to score by: {metric_names()}.")] = DEFAULT_METRIC,
    metric_file: MetricFiles = None,
    environment: Annotated[
        str | None, typer.Option(help="Run it in this environment, such as kaggle-2023. Needs Docker.")
    ] = None,
    robustness: Annotated[
        bool, typer.Option(help="Also read every model under stress. The benchmark must be built for it.")
    ] = False,
    placebo_audit: Annotated[
        bool,
        typer.Option(help="Also start up to 64 runs from models that never saw the forget set, and tell what they do."),
    ] = False,
    cost: Annotated[
        bool, typer.Option("--cost", help="Also time full retraining beside some runs, and tell what a run costs.")
    ] = False,
    save: Annotated[Path | None, typer.Option(help="Write the measurements to this file, for `lethe score`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Run, measure and score a submission locally, in the same sandbox and with the same numbers as on a server.

    The exit status is 1 if the submission failed; the reason is printed.
    """
    drafts = load_drafts(metric_file)
    result = _evaluate(
        file,
        benchmark,
        seeds,
        timeout_s,
        metric,
        environment,
        save,
        drafts,
        Extras(robustness, placebo_audit, cost),
    )
    if as_json:
        print_json(result)
    else:
        print_outcome(result)
    if result["state"] == "failed":
        raise typer.Exit(1)


def _evaluate(
    file: Path,
    benchmark: str,
    seeds: int,
    timeout_s: float,
    metric: str,
    environment: str | None,
    save: Path | None,
    drafts: Sequence[Draft],
    extras: Extras,
) -> dict[str, Any]:
    from services.cli.building import find_or_build
    from services.cli.environment import find_here
    from services.core.bundle.manifest import require_oracle
    from services.core.device import Device
    from services.core.environments import python_of
    from services.core.settings import load_settings
    from services.core.submission import file as submission_file
    from services.core.submission import packages
    from services.core.submission.cautions import warnings_for
    from services.core.submission.source import Rejected
    from services.scorer.metrics.neurips_2023 import MIN_DISTINCT_MODELS
    from services.scorer.scoring import gather, score_measurements
    from services.worker.environments import place_in
    from services.worker.failures import RunFailed
    from services.worker.local import local_worker
    from services.worker.slots import find_gpus
    from services.worker.station import OWN, Traces
    from services.worker.supervisor import RunLimits

    find_metric(metric)
    require_place(save)
    settings = load_settings()
    data = read_file(file, settings.max_upload_bytes)
    started, traces, warnings = time.monotonic(), Traces(), list[str]()
    outcome: dict[str, Any] = {"sandbox": settings.resolved_sandbox.value, "seeds": seeds, "metric": metric}
    if file.suffix.lower() == ".ipynb":
        raise BadInput(f"{file.name} is a notebook. Run it with `lethe notebook run {file}`.")
    chosen = find_here(settings, environment) if environment else None
    device = chosen.device if chosen else Device.GPU if find_gpus() else Device.CPU
    try:
        checked = submission_file.check(file.name, data, python_of(chosen))
        warnings += warnings_for(checked.gpu_calls, checked.compiled, device)
        warnings += packages.require_packages(checked.imports, chosen) if chosen else []
        bundle = find_or_build(settings, benchmark)
        require_oracle(seeds, bundle.manifest.oracle_seeds)
        outcome["benchmark"] = {"name": bundle.manifest.name, "digest": bundle.manifest.digest}
        limits = RunLimits(
            seeds,
            timeout_s,
            settings.slot_memory_bytes,
            data_hidden=False,
            robustness=extras.stresses(bundle, seeds),
            trainer=extras.trainer(bundle, seeds),
        )
        milestone(f"Running {file.name} {seeds} times")
        with local_worker(settings, chosen.device if chosen else None) as worker, progress() as bars:
            task = bars.add_task(f"Running {file.name}", total=seeds)
            run = worker.run(
                bundle,
                filename=file.name,
                data=data,
                limits=limits,
                place=place_in(chosen) if chosen else OWN,
                python=python_of(chosen),
                traces=traces,
                on_seed=lambda: bars.advance(task),
                placebos=extras.placebos(bundle, seeds),
                trained=extras.trained(seeds),
            )
        if save is not None:
            save.write_bytes(run.measurements.to_bytes())
        evidence = gather(
            run.measurements,
            bundle,
            run_s=run.run_s,
            claim=checked.claim,
            stress=run.stress,
            placebo=run.placebo,
            upload_bytes=len(data),
        )
        report = score_measurements(metric, evidence)
        drafted = _beside(drafts, evidence, warnings)
    except (RunFailed, Rejected) as failure:
        kind = failure.kind.value if isinstance(failure, RunFailed) else "rejected"
        wall_s = round(time.monotonic() - started, 3)
        return {
            "state": "failed",
            **outcome,
            "wall_s": wall_s,
            "failure": {"kind": kind, "message": failure.message},
            "warnings": warnings,
            "printed": traces.printed,
        }
    if seeds < MIN_DISTINCT_MODELS:
        warnings.append(
            f"Fewer than {MIN_DISTINCT_MODELS} runs say nothing about a score: its numbers below are noise. "
            "They show only that the module runs. Use more --seeds."
        )
    return {
        "state": "scored",
        **outcome,
        "warnings": warnings,
        "printed": traces.printed,
        **scored(report, run.run_s, cost_of_runs(run.times)),
        **drafted,
        "wall_s": round(time.monotonic() - started, 3),
        "peak_memory_bytes": run.peak_memory_bytes,
        "provenance": run.provenance,
    }


def _beside(drafts: Sequence[Draft], evidence: "Evidence", warnings: list[str]) -> dict[str, Any]:
    """Compute drafts beside the board's metrics. One that fails is warned of, because the runs were not in vain."""
    try:
        return {"beside": beside_the_board(drafts, evidence)} if drafts else {}
    except BadDraft as failed:
        warnings.append(failed.message)
        return {}


def scored(report: "Report", run_s: float, cost: "CostForm | None" = None) -> dict[str, Any]:
    """Return a report as a program reads it: the score in the API's form, and its alarms."""
    from services.scorer.rows import score_form

    return {
        "score": score_form(report, run_s=round(run_s, 6), cost=cost).model_dump(mode="json"),
        "alarms": [alarm.model_dump(mode="json") for alarm in report.alarms],
    }


def read_file(file: Path, limit_bytes: int) -> bytes:
    """Read the file to evaluate. Raises BadInput."""
    if not file.is_file():
        raise BadInput(f"There is no file {file}.")
    if file.stat().st_size > limit_bytes:
        raise BadInput(f"{file} is larger than the limit of {limit_bytes:,} bytes.")
    return file.read_bytes()


def print_outcome(result: dict[str, Any]) -> None:
    """Print an outcome in words, and on standard error the end of what the runs printed."""
    if lines := result.get("printed", "").splitlines()[-PRINTED_LINES:]:
        say("\n".join(["The runs printed, at the end:", *lines]))
    for warning in result.get("warnings", []):
        typer.echo(f"warning: {warning}")
    if result["state"] == "failed":
        say(f"Failed ({result['failure']['kind']}): {result['failure']['message']}")
        return
    score = result["score"]
    print_estimates(score)
    print_noise(score)
    typer.echo(f"{'runs':<20}{result['seeds']} ({score['run_s']:.3f} s each, {result['wall_s']:.1f} s in all)")
    if score["cost"]:
        typer.echo(f"{'cost of a run':<20}{cost_in_words(score['cost'])}")
    typer.echo(f"{'peak memory':<20}{result['peak_memory_bytes'] / 1e6:,.0f} MB (of the largest process of a run)")
    if certificate := score["certificate"]:
        _print_certificate(certificate)
    for suite in ("robustness", "placebo"):
        print_suite(score["suites"], suite)
    print_marks(score["flags"], result["alarms"])
    if "beside" in result:
        print_beside(result["beside"])


def _print_certificate(found: dict[str, Any]) -> None:
    """Print a claimed epsilon beside the accountant's and the one that the runs prove."""
    typer.echo(f"{'epsilon, claimed':<20}{found['epsilon']:g} at delta {found['delta']:g}")
    if found["accountant_epsilon"] is not None:
        typer.echo(f"{'  accountant':<20}{found['accountant_epsilon']:.4g}")
    if found["audited_epsilon"] is not None:
        typer.echo(
            f"{'  proven':<20}{found['audited_epsilon']:.2f} (at most {found['largest_auditable']:.2f} possible)"
        )
    for note in found["notes"]:
        typer.echo(f"{'  note':<20}{note}")
