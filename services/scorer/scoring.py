"""From the measurements of an evaluation and of the oracle to a score: gathering and checking a metric's input."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from services.core import catalogue
from services.core.bundle.directory import Bundle, start_of
from services.core.bundle.manifest import require_oracle
from services.core.bundle.measurements import BadMeasurements, Measurements
from services.core.bundle.stress import StressReadings
from services.core.models.stored import AlarmForm, CertificateForm, SuiteValues
from services.core.submission.certificate import Claim
from services.scorer.claims import hold_against_accountant
from services.scorer.histograms import Histograms
from services.scorer.metrics import (
    METRICS,
    SUITES,
    BadArray,
    Evidence,
    Models,
    PlaceboSides,
    Predictions,
    Runs,
    ScoreCard,
    Sides,
    Stressed,
    StressedSides,
    Upload,
    audit_certificate,
    confidences,
    epsilons,
    forgetting_quality,
    raise_alarms,
)

__all__ = [
    "Report",
    "compute_suites",
    "forgetting_quality_of",
    "gather",
    "score_by_all",
    "score_measurements",
]

log = structlog.get_logger()
KEPT = 2  # benchmarks whose measurements a process keeps: some 70 MB each


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """The complete result of one evaluation by one metric."""

    card: ScoreCard
    histograms: Histograms
    suites: SuiteValues
    alarms: Sequence[AlarmForm]
    certificate: CertificateForm | None = None  # if the entry claims one


def gather(
    unlearned: Measurements,
    bundle: Bundle,
    *,
    run_s: float | None = None,
    independent: bool = True,
    claim: Claim | None = None,
    runs: Runs | None = None,
    stress: StressReadings | None = None,
    placebo: Measurements | None = None,
    upload_bytes: int | None = None,
) -> Evidence:
    """Put N unlearned models beside the first N models of the benchmark's oracle, because F depends on N.

    Raises TooManyModels, and BadMeasurements if the measurements belong to another benchmark.
    """
    models = len(unlearned)
    reference = _reference(bundle.root, bundle.manifest.digest, models)
    _check_benchmark(unlearned, reference.readings)
    require_oracle(models, bundle.manifest.oracle_seeds)
    # A notebook starts every run from the public original, so its runs are not spread.
    starts = _starts(models, len(reference.originals) if independent and reference.originals is not None else 1)
    return Evidence(
        unlearned=_models(unlearned, reference.test_labels, bundle.manifest.counts.retain),
        oracle=reference.oracle,
        forget_labels=reference.forget_labels,
        test_labels=reference.test_labels,
        second_oracle=reference.second_oracle,
        untrained=reference.untrained,
        originals=reference.originals,
        subjects=reference.subjects,
        run_s=run_s,
        independent=independent,
        claimed=None if claim is None else hold_against_accountant(claim, bundle.manifest),
        runs=None if runs is None else replace(runs, original=starts),
        starts=starts,
        stress=None if stress is None else _under_stress(stress, bundle),
        placebo=None if placebo is None else _of_placebos(placebo, bundle, reference),
        upload=None if upload_bytes is None else Upload(upload_bytes, bundle.manifest.parameters),
    )


def _of_placebos(runs: Measurements, bundle: Bundle, reference: "_Reference") -> PlaceboSides | None:
    """Put placebo runs, of seeds 0, 1, ..., beside the models that they started from. Raises BadMeasurements."""
    if reference.placebos is None:
        return None
    _check_benchmark(runs, reference.readings)
    started = np.array([start_of(seed, len(reference.placebos)) for seed in range(len(runs))])
    models = _models(runs, reference.test_labels, bundle.manifest.counts.retain)
    return PlaceboSides(models, reference.placebos, started)


def _under_stress(stress: StressReadings, bundle: Bundle) -> StressedSides | None:
    """Put stress readings beside those of the anchors; None if the benchmark has none. Raises BadMeasurements."""
    oracle, original = bundle.stress_of("oracle"), bundle.stress_of("original")
    if oracle is None or original is None or bundle.manifest.robustness is None:
        return None
    for field in fields(Stressed):
        found, expected = (getattr(side, field.name) for side in (stress, oracle))
        if found.shape[1:] != expected.shape[1:] and len(found):
            raise BadMeasurements(f"{field.name} is {list(found.shape)}; this benchmark's anchors have another shape.")
    bits = tuple(bundle.manifest.robustness.recipe["bits"])
    return StressedSides(_stressed(stress), _stressed(oracle), _stressed(original), bits)


def _stressed(side: StressReadings) -> Stressed:
    return Stressed(**{field.name: getattr(side, field.name) for field in fields(Stressed)})


def _starts(models: int, originals: int) -> NDArray[np.int64] | None:
    """Tell from which original each run started; None if all had the same, or each had another."""
    if not 1 < originals < models:
        return None
    return np.array([start_of(seed, originals) for seed in range(models)])


@dataclass(frozen=True, slots=True, eq=False)
class _Reference:
    """What all evaluations of N models on a benchmark are compared with."""

    readings: Measurements  # of one model of the oracle
    oracle: Models
    second_oracle: Models | None
    untrained: Models | None
    originals: Models | None
    placebos: Models | None
    forget_labels: NDArray[np.int64]
    test_labels: NDArray[np.int64]
    subjects: NDArray[np.int64] | None


@lru_cache(maxsize=KEPT)
def _reference(root: Path, digest: str, models: int) -> _Reference:
    """Read a benchmark once for all evaluations of N models: its digest names every byte of it."""
    bundle = Bundle(root)
    oracle, second = bundle.oracle(), bundle.measurements_of("second_oracle")
    labels, retain = bundle.test_labels(), bundle.manifest.counts.retain

    def read(measurements: Measurements | None) -> Models | None:
        return None if measurements is None else _models(measurements, labels, retain)

    return _Reference(
        readings=oracle.first(1),
        oracle=_models(oracle.first(models), labels, retain),
        second_oracle=read(None if second is None else second.first(models)),
        untrained=read(bundle.measurements_of("untrained")),
        originals=read(bundle.measurements_of("original")),
        placebos=read(bundle.measurements_of("placebo")),
        forget_labels=bundle.forget_labels(),
        test_labels=labels,
        subjects=bundle.forget_subjects(),
    )


def score_measurements(metric: str, evidence: Evidence) -> Report:
    """Score by a metric, compute every suite, and raise alarms for the organiser.

    Raises UnknownMetric, and BadArray if the measurements cannot be scored.
    """
    return score_by_all(metric, evidence)[0]


def score_by_all(metric: str, evidence: Evidence) -> list[Report]:
    """Score by a metric, whose report comes first, and by every other metric that can score the measurements.

    All reports share the suites and the alarms, which do not depend on the ranking metric.
    Raises UnknownMetric, and BadArray if the first metric cannot score the measurements.
    """
    cards = {metric: METRICS[catalogue.find_metric(metric).name](evidence)}
    for name in sorted(METRICS.keys() - {metric}):
        try:
            cards[name] = METRICS[name](evidence)
        except BadArray as error:
            log.warning("no_score", metric=name, reason=str(error))
    suites = compute_suites(evidence)
    certificate = audit_certificate(evidence)
    alarms = raise_alarms(evidence, _for_alarms(cards, metric), certificate)
    sides = Sides.of(evidence)
    shared = (
        suites,
        [AlarmForm.model_validate(alarm) for alarm in alarms],
        None if certificate is None else CertificateForm.model_validate(certificate),
    )
    return [Report(card, Histograms.of(card, sides), *shared) for card in cards.values()]


def _for_alarms(cards: dict[str, ScoreCard], metric: str) -> ScoreCard:
    """Choose the card of the oldest metric with a ceiling, so that no new metric changes an old one's alarms."""
    relative = [name for name, known in catalogue.METRICS.items() if known.has_ceiling and name in cards]
    return cards[relative[0] if relative else metric]


def compute_suites(evidence: Evidence) -> SuiteValues:
    """Compute every secondary column that the evidence is enough for."""
    return {name: suite(evidence) for name, suite in SUITES.items() if suite.applies(evidence)}


def forgetting_quality_of(
    unlearned_logits: NDArray[np.float32], oracle_logits: NDArray[np.float32], labels: NDArray[np.int64]
) -> float:
    """Compute only F of `neurips-2023`, from logits [N, S, classes] of both sides and labels [S]."""
    unlearned = confidences(unlearned_logits, labels)
    oracle = confidences(oracle_logits, labels)
    return forgetting_quality(epsilons(unlearned, oracle), min(len(unlearned), len(oracle)))


def _check_benchmark(unlearned: Measurements, oracle: Measurements) -> None:
    for field in fields(Measurements):
        found, expected = getattr(unlearned, field.name), getattr(oracle, field.name)
        if found.shape[1:] != expected.shape[1:] or found.dtype != expected.dtype or len(found) != len(unlearned):
            raise BadMeasurements(
                f"{field.name} is {found.dtype}{list(found.shape)}; this benchmark needs {expected.dtype}"
                f"{['models', *expected.shape[1:]]}. Were the models measured on another benchmark?"
            )


def _models(measurements: Measurements, test_labels: NDArray[np.int64], retain: int) -> Models:
    bits = np.unpackbits(measurements.retain_correct, axis=1, count=retain)
    return Models(
        forget_logits=measurements.forget_logits,
        retain_accuracy=np.asarray(bits.mean(axis=1), dtype=np.float64),
        test_accuracy=np.asarray((measurements.test_class == test_labels).mean(axis=1), dtype=np.float64),
        test=Predictions(measurements.test_class, measurements.test_margin, measurements.test_entropy),
        probe=Predictions(measurements.retain_class, measurements.retain_margin, measurements.retain_entropy),
        checkpoint_sha256=measurements.checkpoint_sha256,
        weight_sketch=measurements.weight_sketch,
    )
