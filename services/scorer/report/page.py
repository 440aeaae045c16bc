"""Renders the report of one score: one HTML file without scripts or external files, with a text for every figure."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from numpy.typing import NDArray

from services.core.catalogue import SUITES
from services.core.distribution import installed_version
from services.core.models.reliability import MetricCard
from services.core.models.stored import AlarmForm
from services.scorer.histograms import Buckets, choose
from services.scorer.metrics import Alarm, BadArray, Estimate, ScoreCard
from services.scorer.metrics.gaussian import MAX_MISFITS
from services.scorer.metrics.quality import BUCKET
from services.scorer.report.plots import audit_plot, bucket_plot, confidence_plot, misfits, plane_plot
from services.scorer.report.trust import trust_of
from services.scorer.report.words import (
    BETTER,
    alarm_title,
    facts,
    flag_sentence,
    headlines,
    interval,
    metric_source,
    noise,
    number,
)

__all__ = ["ReportSubject", "render_report", "template"]

WORST_SHOWN = 50
LIBRARIES = ("numpy", "scipy")

Confidences = NDArray[np.float64]  # [models, S]
SuiteValues = Mapping[str, Mapping[str, float | None]]


@dataclass(frozen=True, slots=True)
class ReportSubject:
    """The subject of a report. All texts appear literally, never as markup."""

    title: str
    benchmark: str | None = None
    _: KW_ONLY
    command: str | None = None  # creates this report again
    provenance: Mapping[str, str] = field(default_factory=dict)  # shown beside it: digests, dates, versions


def render_report(
    subject: ReportSubject,
    card: ScoreCard,
    *,
    unlearned: Confidences,
    oracle: Confidences,
    suites: SuiteValues | None = None,
    reference_suites: SuiteValues | None = None,
    alarms: Sequence[Alarm | AlarmForm] = (),
    ceiling: Estimate | None = None,
    metric_card: MetricCard | None = None,
) -> str:
    """Render one score as an HTML page; the same input always gives the same text.

    Confidences are [N, S] of the unlearned and [M, S] of the retrained models, in nats, the input of the card's metric.
    `reference_suites` has a second oracle's values. `ceiling` may be given for a metric without one. `metric_card` is
    that of the benchmark. Raises BadArray if the confidences and the card have different forget sets.
    """
    for name, side in (("unlearned", unlearned), ("oracle", oracle)):
        if side.ndim != 2 or side.shape[1] != len(card.epsilons) or len(side) == 0:
            raise BadArray(f"{name} has shape {side.shape}; expected (models, {len(card.epsilons)}).", axis=1)
    epsilons = card.epsilons.astype(np.float64)
    buckets = Buckets.of(min(len(unlearned), len(oracle)))
    highest = card.ceiling or ceiling
    return template(
        "page.html"
    ).render(
        subject=subject,
        card=card,
        headlines=headlines(card),
        facts=facts(card, len(oracle), highest),
        noise=noise(card),
        flags=[flag_sentence(flag) for flag in card.flags],
        alarms=[(alarm_title(alarm.kind), alarm.message) for alarm in alarms],
        bucket_svg=bucket_plot(epsilons, buckets),
        bucket_rows=list(_bucket_rows(epsilons, buckets)),
        audit_svg=card.audit and audit_plot(epsilons, card.audit, buckets),
        misfits=card.audit and misfits(card.audit),
        max_misfits=MAX_MISFITS,
        chosen=[_chosen(kind, example, card, unlearned, oracle) for kind, example in choose(epsilons)],
        plane_svg=plane_plot(card, _retrained(card, highest)),
        suites=list(_suites(suites or {}, reference_suites or {})),
        has_reference=bool(reference_suites),
        next_section=itertools.count(4).__next__,  # the first three are always there
        trust=None if metric_card is None else trust_of(metric_card, card, suites or {}),
        rows=[_example_row(example, card) for example in np.argsort(-epsilons, kind="stable")[:WORST_SHOWN].tolist()],
        recompute=_recompute(subject, card),
    )


def template(name: str) -> Template:
    """Load a page template, which escapes every value."""
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(number=number, interval=interval)
    return environment.get_template(name)


def _retrained(card: ScoreCard, highest: Estimate | None) -> Estimate | None:
    """Convert the ceiling to the scale of the card's F, which is divided by the ceiling if the metric has one."""
    if highest is None or card.ceiling is None:
        return highest
    return Estimate(1.0, highest.low / highest.value, highest.high / highest.value)


def _bucket_rows(epsilons: NDArray[np.float64], buckets: Buckets) -> Iterator[tuple[str, str, int]]:
    counts = buckets.fill(epsilons).tolist()
    for bucket, count in enumerate(counts[:-1]):
        points = "1" if bucket == 0 else f"1/{2**bucket}"
        yield f"{bucket * BUCKET:g} to {(bucket + 1) * BUCKET:g}", points, count
    yield f"{buckets.end:g} or more", "0", counts[-1]


def _chosen(kind: str, example: int, card: ScoreCard, unlearned: Confidences, oracle: Confidences) -> dict[str, Any]:
    svg = confidence_plot(example, unlearned[:, example], oracle[:, example])
    return {"kind": kind, "svg": svg, **_example_row(example, card)}


def _example_row(example: int, card: ScoreCard) -> dict[str, Any]:
    audit = card.audit
    return {
        "example": example,
        "epsilon": float(card.epsilons[example]),
        "points": float(card.points[example]),
        "bound": float(audit.bounds[example]) if audit else None,
        "gaussian": float(audit.gaussian[example]) if audit else None,
        "fits": bool(audit.gaussian_fits[example]) if audit else None,
    }


def _suites(suites: SuiteValues, reference: SuiteValues) -> Iterator[dict[str, Any]]:
    for name, values in suites.items():
        suite = SUITES[name]
        theirs = reference.get(name, {})
        rows = [
            (column, BETTER[column.better], values.get(column.name), theirs.get(column.name))
            for column in suite.columns
        ]
        yield {"name": name, "title": suite.title, "source": suite.source, "rows": rows}


def _recompute(subject: ReportSubject, card: ScoreCard) -> dict[str, str]:
    return {
        "Metric": card.metric,
        "Definition": metric_source(card.metric),
        "lethe": installed_version(),
        **{library: version(library) for library in LIBRARIES},
        **subject.provenance,
    }
