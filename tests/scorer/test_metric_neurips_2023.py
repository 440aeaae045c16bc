"""The whole 2023 score: product, intervals, flags, and what is refused."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from services.scorer.metrics import (
    METRICS,
    TOO_FEW_DISTINCT_MODELS,
    BadArray,
    ScoreCard,
    confidences,
    epsilons,
    forgetting_quality,
    points_of,
)
from services.scorer.metrics.registry import metric
from services.scorer.metrics.uncertainty import error_of_halves, half_points
from services.scorer.metrics.utility import Utility
from tests.scorer.evidence import changed, draw_evidence, hashes

score_neurips_2023 = METRICS["neurips-2023"]


def _ordered(card: ScoreCard) -> bool:
    estimates = (card.forgetting_quality, card.utility, card.final_score)
    return all(0 <= estimate.low <= estimate.value <= estimate.high < np.inf for estimate in estimates)


def test_score_is_the_product_of_quality_and_utility() -> None:
    evidence = draw_evidence(shift=0.5)
    card = score_neurips_2023(evidence)
    sides = [
        confidences(models.forget_logits, evidence.forget_labels) for models in (evidence.unlearned, evidence.oracle)
    ]
    np.testing.assert_array_equal(card.epsilons, epsilons(sides[0], sides[1]))
    assert card.forgetting_quality.value == forgetting_quality(card.epsilons, 32) == card.points.mean()
    assert card.utility.value == pytest.approx((0.9 / 0.99) * (0.8 / 0.85), abs=1e-12)
    assert card.final_score.value == pytest.approx(card.forgetting_quality.value * card.utility.value, abs=1e-15)
    assert _ordered(card)
    assert (card.models, card.distinct_models, card.flags, card.ceiling) == (32, 32, (), None)


def test_score_is_the_same_to_the_last_bit_when_computed_again() -> None:
    first, second = score_neurips_2023(draw_evidence()), score_neurips_2023(draw_evidence())
    assert first.forgetting_quality == second.forgetting_quality
    assert first.final_score == second.final_score


def test_quality_is_1_when_the_oracles_own_models_are_handed_in() -> None:
    evidence = draw_evidence()
    card = score_neurips_2023(changed(evidence, "unlearned", forget_logits=evidence.oracle.forget_logits[::-1]))
    assert card.forgetting_quality.value == 1
    assert _ordered(card)


def test_intervals_do_not_meet_when_one_entry_is_far_better() -> None:
    near, far = (score_neurips_2023(draw_evidence(shift, 64, 64)) for shift in (0.0, 4.0))
    assert far.final_score.high < near.final_score.low


def test_quality_is_0_and_flagged_when_fewer_than_8_models_are_distinct() -> None:
    evidence = draw_evidence()
    card = score_neurips_2023(changed(evidence, "unlearned", checkpoint_sha256=hashes(32, 7)))
    for estimate in (card.forgetting_quality, card.final_score):
        assert (estimate.value, estimate.low, estimate.high) == (0, 0, 0)
    assert card.utility.value > 0
    assert card.flags == (TOO_FEW_DISTINCT_MODELS,)
    assert not card.halves.any()
    assert score_neurips_2023(changed(evidence, "unlearned", checkpoint_sha256=hashes(32, 8))).flags == ()


@pytest.mark.parametrize("models", [1, 2, 8])
def test_score_stands_when_there_are_few_models(models: int) -> None:
    assert _ordered(score_neurips_2023(draw_evidence(models=models, oracle=models)))


def test_score_counts_buckets_by_the_smaller_side_when_numbers_of_models_differ() -> None:
    card = score_neurips_2023(draw_evidence(models=9, oracle=40))
    assert card.models == 9
    assert card.forgetting_quality.value == forgetting_quality(card.epsilons, 9)
    assert _ordered(card)


def test_utility_is_not_clipped_when_the_entry_beats_the_oracle() -> None:
    card = score_neurips_2023(changed(draw_evidence(), "unlearned", test_accuracy=np.full(32, 1.0)))
    assert card.utility.value > 1


def test_score_is_0_when_the_entry_classifies_nothing_right() -> None:
    card = score_neurips_2023(changed(draw_evidence(), "unlearned", test_accuracy=np.zeros(32)))
    assert (card.utility.value, card.final_score.value) == (0, 0)
    assert _ordered(card)


def test_interval_of_utility_is_that_of_a_mean_when_only_one_accuracy_varies() -> None:
    varying, constant = np.linspace(0.7, 0.9, 50), np.full(50, 0.9)
    estimate = Utility((varying, constant), (constant, constant)).estimate()
    relative = stats.t.ppf(0.975, 49) * varying.std(ddof=1) / np.sqrt(50) / 0.8
    assert estimate.value == pytest.approx(0.8 / 0.9, rel=1e-12)
    assert np.log(estimate.high / estimate.value) == pytest.approx(relative, rel=1e-9)
    assert np.log(estimate.value / estimate.low) == pytest.approx(relative, rel=1e-9)


def test_error_of_quality_predicts_the_spread_of_fresh_runs() -> None:
    rng = np.random.default_rng(0)
    qualities, errors = [], []
    for _ in range(60):
        unlearned, retrained = rng.normal(0.3, 1, (16, 40)), rng.normal(size=(16, 40))
        qualities.append(forgetting_quality(epsilons(unlearned, retrained), 16))
        halves = half_points(unlearned, retrained, lambda mine, theirs: points_of(epsilons(mine, theirs), 16))
        errors.append(error_of_halves(halves.mean(axis=2)))
    assert 1 / 1.5 < np.mean(errors) / np.std(qualities) < 1.5


def test_registry_holds_the_metric_under_its_versioned_name() -> None:
    assert set(METRICS) == {"neurips-2023", "lethe-1", "lethe-2"}
    with pytest.raises(ValueError, match="exists already"):
        metric("neurips-2023", clipped_utility=False)(score_neurips_2023.judge)


def _with(array: Any, index: tuple[int, ...], value: float) -> Any:
    changed = array.copy()
    changed[index] = value
    return changed


@pytest.mark.parametrize(
    ("side", "name", "change", "says", "axis", "index"),
    [
        (
            "unlearned",
            "forget_logits",
            lambda a: _with(a, (3, 1, 2), np.nan),
            "logits is nan at seed 3",
            0,
            3,
        ),
        ("oracle", "forget_logits", lambda a: a[:, :9], "labels has 24 examples on axis 0", 0, 9),
        ("unlearned", "forget_logits", lambda a: a[:, :9], "has 9 examples on axis 1, but the oracle's have 24", 1, 9),
        (
            "unlearned",
            "forget_logits",
            lambda a: a[:, :, :4],
            "has 4 classes on axis 2, but the oracle's have 10",
            2,
            4,
        ),
        ("unlearned", "forget_logits", lambda a: a[:0], "unlearned_logits is empty on axis 0", 0, 0),
        ("unlearned", "retain_accuracy", lambda a: a[:30], "has 30 models on axis 0, but the logits have 32", 0, 30),
        ("unlearned", "test_accuracy", lambda a: _with(a, (5,), 1.5), "is 1.5 on axis 0, index 5", 0, 5),
        ("oracle", "retain_accuracy", lambda a: _with(a, (6,), np.inf), "is inf at model 6", 0, 6),
        ("oracle", "test_accuracy", lambda a: 0 * a, "is 0 for every model", 0, 0),
    ],
)
def test_score_refuses_with_axis_and_index_when(
    side: str, name: str, change: Any, says: str, axis: int, index: int
) -> None:
    evidence = draw_evidence()
    spoiled = changed(evidence, side, **{name: change(getattr(getattr(evidence, side), name))})
    for metric_name in METRICS:
        with pytest.raises(BadArray, match=says) as caught:
            METRICS[metric_name](spoiled)
        assert (caught.value.axis, caught.value.index) == (axis, index)
