"""From a bundle and measurements to reports and rows."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import TooManyModels
from services.core.bundle.measurements import BadMeasurements, Measurements
from services.core.catalogue import UnknownMetric
from services.core.distribution import program
from services.scorer.metrics import METRICS, BadArray, Evidence, Forgetting, Metric, Sides
from services.scorer.rows import score_row, subject_points
from services.scorer.scoring import (
    forgetting_quality_of,
    gather,
    score_by_all,
    score_measurements,
)
from tests.bundles import COUNTS, make_tiny_bundle
from tests.scorer.evidence import changed, draw_evidence


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny", oracle_seeds=48)


def entry(bundle: Bundle, models: int) -> Measurements:
    """Measure the oracle's last models as if they were an entry's."""
    oracle = bundle.oracle()
    return Measurements(**{name: getattr(oracle, name)[-models:] for name in Measurements.__slots__})


def test_entries_are_held_against_as_many_oracle_models(bundle: Bundle) -> None:
    evidence = gather(entry(bundle, 16), bundle)

    assert (len(evidence.unlearned), len(evidence.oracle)) == (16, 16)
    np.testing.assert_array_equal(evidence.oracle.forget_logits, bundle.oracle().forget_logits[:16])
    assert (evidence.second_oracle, evidence.untrained, evidence.subjects) == (None,) * 3


def test_runs_start_from_the_originals_in_turn_and_a_notebooks_all_from_the_first(tmp_path: Path) -> None:
    """Digests name a benchmark's bytes; here they need not, because nothing verifies them."""
    several = make_tiny_bundle(tmp_path / "tiny", oracle_seeds=16)
    (several.root / "hidden/original.safetensors").write_bytes(several.oracle().first(3).to_bytes())
    measurements = entry(several, 8)

    starts = gather(measurements, several).starts
    assert starts is not None
    assert starts.tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    assert gather(measurements, several, independent=False).starts is None


def test_accuracies_are_those_of_the_stored_bits_and_classes(bundle: Bundle) -> None:
    measurements = entry(bundle, 3)
    evidence = gather(measurements, bundle)
    bits = [[int(bit) for byte in row for bit in f"{byte:08b}"][: COUNTS.retain] for row in measurements.retain_correct]
    labels = bundle.test_labels()

    assert evidence.unlearned.retain_accuracy.tolist() == [sum(row) / COUNTS.retain for row in bits]
    assert evidence.unlearned.test_accuracy.tolist() == [
        sum(row == labels) / COUNTS.test for row in measurements.test_class
    ]


def test_more_models_than_the_oracle_has_are_refused(bundle: Bundle, tmp_path: Path) -> None:
    small = make_tiny_bundle(tmp_path / "small", oracle_seeds=8)

    with pytest.raises(TooManyModels, match="oracle has 8"):
        gather(entry(bundle, 9), small)


def test_measurements_of_another_benchmark_are_refused(bundle: Bundle) -> None:
    own = entry(bundle, 8)
    spoiled: list[tuple[str, Any]] = [
        ("forget_logits", own.forget_logits[:, :5]),
        ("test_class", own.test_class[:, :3]),
        ("retain_correct", own.retain_correct[:, :1]),
        ("weight_sketch", own.weight_sketch.astype(np.float64)),
        ("test_margin", own.test_margin[:7]),
    ]
    for name, array in spoiled:
        with pytest.raises(BadMeasurements, match=f"{name} is .* another benchmark"):
            gather(replace(own, **{name: array}), bundle)


def test_an_unknown_metric_is_refused_naming_those_there_are(bundle: Bundle) -> None:
    with pytest.raises(UnknownMetric, match=r"neurips-2023, lethe-1"):
        score_measurements("accuracy", gather(entry(bundle, 8), bundle))


def test_every_metric_scores_and_the_wanted_one_comes_first(bundle: Bundle) -> None:
    evidence = gather(entry(bundle, 16), bundle, run_s=1.0)

    for metric in METRICS:
        reports = score_by_all(metric, evidence)
        assert reports[0].card.metric == metric
        assert {report.card.metric for report in reports} == set(METRICS)
        assert reports[0].suites == reports[1].suites


def test_a_metric_without_an_answer_does_not_keep_the_others_from_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Sides) -> Forgetting:
        raise BadArray("no answer")

    monkeypatch.setitem(METRICS, "lethe-1", Metric("lethe-1", refuse, clipped_utility=True))
    evidence = draw_evidence()

    assert [report.card.metric for report in score_by_all("neurips-2023", evidence)] == ["neurips-2023"]
    with pytest.raises(BadArray, match="no answer"):
        score_by_all("lethe-1", evidence)


def test_a_benchmark_without_a_ceiling_is_scored_all_the_same() -> None:
    """A second oracle whose models are nearly one has a ceiling of 0."""
    evidence = draw_evidence(second=32)
    assert evidence.second_oracle is not None
    strange = changed(evidence, "second_oracle", forget_logits=1e-4 * evidence.second_oracle.forget_logits)

    old, new = score_by_all("neurips-2023", strange)

    assert old.card.forgetting_quality.value > 0
    assert (new.card.final_score.value, "no_ceiling" in new.card.flags) == (0.0, True)


def test_quality_alone_is_that_of_the_whole_score() -> None:
    evidence = draw_evidence(0.5)
    unlearned, oracle = (
        np.asarray(models.forget_logits, dtype=np.float32) for models in (evidence.unlearned, evidence.oracle)
    )
    quality = forgetting_quality_of(unlearned, oracle, np.asarray(evidence.forget_labels, dtype=np.int64))

    assert quality == METRICS["neurips-2023"](evidence).forgetting_quality.value


def subjects_of(evidence: Evidence) -> np.ndarray:
    return np.arange(evidence.forget_labels.size) % 5


def test_points_of_subjects_make_up_the_final_score() -> None:
    evidence = draw_evidence(0.5)
    card = METRICS["neurips-2023"](evidence)
    subjects = subjects_of(evidence)

    rows = subject_points(card, subjects)

    assert [size for _, size in rows] == [5, 5, 5, 5, 4]
    assert rows[2][0] == pytest.approx(card.points[subjects == 2].sum() * card.utility.value)
    assert sum(points for points, _ in rows) / 24 == pytest.approx(card.final_score.value)
    assert [size for _, size in subject_points(card, None)] == [1] * 24


def test_rows_keep_what_rescoring_and_ranking_need() -> None:
    evidence = replace(draw_evidence(0.5, second=32), run_s=2.0)
    report = score_measurements("lethe-1", evidence)
    evaluation_id = uuid4()

    row = score_row(evaluation_id, report, subjects=subjects_of(evidence), run_s=2.0)

    card = report.card
    assert card.ceiling is not None
    assert card.generalisation is not None
    assert (row.evaluation_id, row.metric, row.seeds) == (evaluation_id, "lethe-1", 32)
    assert row.program == program()
    assert (row.final_score, row.ci_low, row.ci_high) == (
        card.final_score.value,
        card.final_score.low,
        card.final_score.high,
    )
    assert (row.ceiling, row.generalisation_high) == (card.ceiling.value, card.generalisation.high)
    assert row.run_s == 2.0
    assert np.shape(row.halves) == (16, 2)
    assert np.mean(row.halves) == pytest.approx(card.final_score.value, rel=0.5)
    assert row.audit is not None
    assert [np.shape(part) for part in (row.audit.bounds, row.audit.gaussian, row.audit.gaussian_fits)] == [(24,)] * 3


def test_the_largest_logits_are_scored_by_every_metric_and_suite() -> None:
    """A participant's models may answer anything finite; an entry of extremes scores badly and breaks nothing."""
    rng = np.random.default_rng(0)
    evidence = draw_evidence(models=32, second=32)
    most = np.finfo(np.float32).max
    extremes = rng.choice(np.array([-most, 0, most]), evidence.unlearned.forget_logits.shape).astype(np.float32)
    wild = changed(evidence, "unlearned", forget_logits=extremes)

    for report in score_by_all("lethe-1", wild):
        row = score_row(uuid4(), report, subjects=None, run_s=1.0)
        kept = [row.final_score, row.ci_low, row.ci_high, row.utility_high, *np.ravel(row.halves)]
        assert np.isfinite(kept).all()
        forms = [form.model_dump(mode="json") for form in (*row.alarms, row.audit) if form]
        json.dumps([row.suites, *forms, row.epsilons, row.subject_points], allow_nan=False)
