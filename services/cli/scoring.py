"""`lethe score` and `lethe measurements`: scoring stored measurements, on any machine. Nothing is run."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.console import print_estimates, print_json, print_marks, print_noise, print_suite, require_place, say
from services.cli.databases import migrated_database
from services.cli.drafts import Draft, MetricFiles, beside_the_board, load_drafts, print_beside
from services.core.catalogue import DEFAULT_METRIC, find_metric, metric_names
from services.core.errors import BadInput

if TYPE_CHECKING:
    from services.core.bundle.directory import Bundle
    from services.core.bundle.measurements import Measurements
    from services.core.models.reliability import MetricCard
    from services.scorer.metrics import Audit
    from services.scorer.scoring import Report

__all__ = ["measurements", "score"]


def score(
    stored: Annotated[
        Path | None,
        typer.Argument(
            metavar="MEASUREMENTS", help="The file that `lethe evaluate --save` or `lethe measurements` wrote."
        ),
    ] = None,
    oracle: Annotated[str, typer.Option(help="The benchmark they were measured on: its name or directory.")] = "digits",
    unlearned: Annotated[
        Path | None, typer.Option(help="Instead of a file: confidences of unlearned models, a .npy array [N, S].")
    ] = None,
    retrained: Annotated[
        Path | None, typer.Option(help="Confidences of the retrained models, a .npy array [M, S].")
    ] = None,
    second: Annotated[
        Path | None, typer.Option(help="Confidences of a second oracle, a .npy array, for metrics with a ceiling.")
    ] = None,
    metric: Annotated[str, typer.Option(help=f"The metric to score by: {metric_names()}.")] = DEFAULT_METRIC,
    metric_file: MetricFiles = None,
    report: Annotated[Path | None, typer.Option(help="Write a page with plots to this .html file.")] = None,
    card: Annotated[
        Path | None,
        typer.Option(help="Show this metric card in the report: the file of `lethe benchmark card --json`."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Score stored measurements, or plain arrays, by any metric.

    A confidence is logit-scaled: log p_y - log(1 - p_y) of the example's label y, models on axis 0, examples on axis 1.
    """
    from services.scorer.metrics import BadArray

    require_place(report)
    drafts = load_drafts(metric_file)
    try:
        if drafts and stored is None:
            raise BadInput("A metric of your own needs a file of measurements, not plain arrays.")
        if report is not None and stored is None:
            raise BadInput("A report needs a file of measurements, because plain arrays have no utility to show.")
        if card is not None and report is None:
            raise BadInput("A metric card is shown in a report. Give --report, too.")
        if stored is not None and unlearned is None and retrained is None:
            result = _score_stored(stored, oracle, metric, drafts, report=report, card=card)
        elif stored is None and unlearned is not None and retrained is not None:
            result = _score_arrays(unlearned, retrained, second, metric)
        else:
            raise BadInput("Give either a file of measurements, or both --unlearned and --retrained.")
    except BadArray as error:
        raise BadInput(str(error)) from error
    if as_json:
        print_json(result)
    else:
        _print(result)


def measurements(
    submission: Annotated[str, typer.Argument(help="The id of a submission that was measured here.")],
    out: Annotated[Path, typer.Option(help="The .safetensors file to write.")],
) -> None:
    """Write the measurements of a submission on this installation to a file, for `lethe score`. For operators."""
    from uuid import UUID

    from services.core.bundle.packing import find_readings
    from services.core.models import Submission
    from services.core.settings import load_settings
    from services.core.store.blobs import Blobs

    require_place(out)
    settings = load_settings()
    try:
        wanted = UUID(submission)
    except ValueError as error:
        raise BadInput(
            f"{submission} is not the id of a submission. Use the id that `lethe submit` printed."
        ) from error
    with migrated_database(settings) as database, database.read() as session:
        row = session.get(Submission, wanted)
        readings = None if row is None else find_readings(session, row.evaluation_id)
    if not readings:
        raise BadInput(
            f"This installation has no measurements of submission {submission}. Check the id, and where it ran."
        )
    found = readings.load(Blobs.from_settings(settings))
    out.write_bytes(found.to_bytes())
    say(f"Wrote the measurements of {len(found)} models to {out}.")


def _report_dict(report: "Report") -> dict[str, Any]:
    """Return what `--json` prints: the score's form, and figures per example that the server shows nobody."""
    from services.scorer.rows import score_form

    return {
        **score_form(report).model_dump(mode="json"),
        "alarms": [alarm.model_dump(mode="json") for alarm in report.alarms],
        "epsilons": report.card.epsilons.tolist(),
        **_audit(report.card.audit),
    }


def _score_stored(
    stored: Path, oracle: str, metric: str, drafts: Sequence[Draft], *, report: Path | None, card: Path | None
) -> dict[str, Any]:
    from services.scorer.metrics import Sides
    from services.scorer.scoring import compute_suites, gather, score_measurements

    find_metric(metric)
    bundle = _find_oracle(oracle)
    metric_card = None if card is None else _read_card(card, bundle)
    evidence = gather(_read_measurements(stored), bundle)
    found = score_measurements(metric, evidence)
    if report is not None:
        from services.scorer.report import ReportSubject, render_report

        sides = Sides.of(evidence)
        subject = ReportSubject(
            stored.stem,
            bundle.manifest.title,
            command=f"lethe score {stored.name} --oracle {bundle.manifest.name} --metric {metric}",
            provenance={"benchmark": bundle.manifest.digest},
        )
        second = evidence.second_oracle
        page = render_report(
            subject,
            found.card,
            unlearned=sides.unlearned,
            oracle=sides.oracle,
            suites=found.suites,
            reference_suites=None if second is None else compute_suites(evidence.of(second)),
            alarms=found.alarms,
            metric_card=metric_card,
        )
        _write_page(report, page)
    beside = {"beside": beside_the_board(drafts, evidence)} if drafts else {}
    named = {"name": bundle.manifest.name, "digest": bundle.manifest.digest}
    return {"benchmark": named, **_report_dict(found), **beside}


def _score_arrays(unlearned: Path, retrained: Path, second: Path | None, metric: str) -> dict[str, Any]:
    from services.scorer.metrics import METRICS, Sides
    from services.scorer.rows import forgetting_form

    judge = METRICS[find_metric(metric).name].judge
    sides = Sides.of_arrays(_load(unlearned), _load(retrained), None if second is None else _load(second))
    found = judge(sides)
    return {
        **forgetting_form(metric, found, models=len(sides.unlearned)).model_dump(mode="json"),
        "oracle_models": len(sides.oracle),
        "epsilons": found.epsilons.tolist(),
        **_audit(found.audit),
    }


def _find_oracle(name: str) -> "Bundle":
    """Find a benchmark by name, by directory, or by a file within it."""
    from services.cli.building import find
    from services.core.bundle.manifest import MANIFEST
    from services.core.settings import load_settings

    path = Path(name)
    inside = [place for place in path.parents if path.is_file() and (place / MANIFEST).is_file()]
    return find(load_settings(), str(inside[0]) if inside else name)


def _read_measurements(path: Path) -> "Measurements":
    """Read one stacked file, or a directory with one file per model, in order of their names."""
    from services.core.bundle.measurements import Measurements

    if path.is_dir():
        return Measurements.stack([file.read_bytes() for file in sorted(path.glob("*.safetensors"))])
    if not path.is_file():
        raise BadInput(f"There is no file {path}.")
    return Measurements.from_file(path)


def _read_card(path: Path, bundle: "Bundle") -> "MetricCard":
    """Read what `lethe benchmark card --json` printed. Raises BadInput if it is not this benchmark's."""
    from services.core.models.reliability import MetricCard

    try:
        written = json.loads(path.read_bytes())
        card, digest = MetricCard.model_validate(written), str(written["benchmark"])
    except FileNotFoundError as error:
        raise BadInput(f"There is no file {path}.") from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadInput(f"{path} is no metric card. Make one: `lethe benchmark card NAME --json`.") from error
    if digest != bundle.manifest.digest:
        raise BadInput(f"{path} is the metric card of another benchmark. Make that of {bundle.manifest.name}.")
    return card


def _load(path: Path) -> Any:
    import numpy as np

    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise BadInput(f"There is no file {path}.") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} is not a readable .npy array: {error}.") from error
    if not isinstance(array, np.ndarray):
        raise BadInput(f"{path} holds several arrays; save one with numpy.save.")
    return array


def _write_page(path: Path, page: str) -> None:
    path.write_text(page, encoding="utf-8")
    say(f"Wrote the report to {path}.")


def _audit(audit: "Audit | None") -> dict[str, Any]:
    if audit is None:
        return {}
    return {
        "epsilon_bounds": audit.bounds.tolist(),
        "largest_certifiable": audit.largest_certifiable,
        "claims": audit.claims,
        "gaussian_epsilons": audit.gaussian.tolist(),
        "gaussian_fits": audit.gaussian_fits.tolist(),
    }


def _print(result: dict[str, Any]) -> None:
    print_estimates(result)
    print_noise(result)
    typer.echo(f"{'models':<20}{result['seeds']}, {result['effective_models']} effective")
    if "epsilon_bounds" in result:
        proven = max(result["epsilon_bounds"])
        typer.echo(f"{'epsilon, proven':<20}{proven:.2f} (at most {result['largest_certifiable']:.2f} possible)")
    for suite in result.get("suites", {}):
        print_suite(result["suites"], suite)
    print_marks(result["flags"], result.get("alarms", []))
    if "beside" in result:
        print_beside(result["beside"])
