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
    metric,
    score_neurips_2023,
)
from services.scorer.metrics.interval import quality_error, utility_estimate


def _inputs(shift: float = 0.0, models: int = 32, oracle: int = 32, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, 24)
    centre = rng.normal(0, 2, (1, 24, 10))
    unlearned = centre + rng.normal(size=(models, 24, 10))
    unlearned[:, np.arange(24), labels] += shift
    return {
        "unlearned_logits": unlearned.astype(np.float32),
        "oracle_logits": (centre + rng.normal(size=(oracle, 24, 10))).astype(np.float32),
        "labels": labels,
        "unlearned_retain_accuracy": np.linspace(0.88, 0.92, models),
        "unlearned_test_accuracy": np.linspace(0.78, 0.82, models),
        "oracle_retain_accuracy": np.linspace(0.98, 1.0, oracle),
        "oracle_test_accuracy": np.linspace(0.84, 0.86, oracle),
        "distinct_models": models,
    }


def _ordered(card: ScoreCard) -> bool:
    estimates = (card.forgetting_quality, card.utility, card.final_score)
    return all(0 <= estimate.low <= estimate.value <= estimate.high < np.inf for estimate in estimates)


def test_score_is_the_product_of_quality_and_utility() -> None:
    inputs = _inputs(shift=0.5)
    card = score_neurips_2023(**inputs)
    sides = [confidences(inputs[name], inputs["labels"]) for name in ("unlearned_logits", "oracle_logits")]
    np.testing.assert_array_equal(card.epsilons, epsilons(*sides))
    assert card.forgetting_quality.value == forgetting_quality(card.epsilons, 32)
    assert card.utility.value == pytest.approx((0.9 / 0.99) * (0.8 / 0.85), abs=1e-12)
    assert card.final_score.value == pytest.approx(card.forgetting_quality.value * card.utility.value, abs=1e-15)
    assert _ordered(card)
    assert (card.models, card.distinct_models, card.flags) == (32, 32, ())


def test_score_is_the_same_to_the_last_bit_when_computed_again() -> None:
    first, second = score_neurips_2023(**_inputs()), score_neurips_2023(**_inputs())
    assert first.forgetting_quality == second.forgetting_quality
    assert first.final_score == second.final_score


def test_quality_is_1_when_the_oracles_own_models_are_handed_in() -> None:
    inputs = _inputs()
    inputs["unlearned_logits"] = inputs["oracle_logits"][::-1]
    card = score_neurips_2023(**inputs)
    assert card.forgetting_quality.value == 1
    assert _ordered(card)


def test_intervals_do_not_meet_when_one_entry_is_far_better() -> None:
    near, far = score_neurips_2023(**_inputs(models=64, oracle=64)), score_neurips_2023(**_inputs(4.0, 64, 64))
    assert far.final_score.high < near.final_score.low


def test_quality_is_0_and_flagged_when_fewer_than_8_models_are_distinct() -> None:
    inputs = _inputs() | {"distinct_models": 7}
    card = score_neurips_2023(**inputs)
    for estimate in (card.forgetting_quality, card.final_score):
        assert (estimate.value, estimate.low, estimate.high) == (0, 0, 0)
    assert card.utility.value > 0
    assert card.flags == (TOO_FEW_DISTINCT_MODELS,)
    assert score_neurips_2023(**_inputs() | {"distinct_models": 8}).flags == ()


@pytest.mark.parametrize("models", [1, 2, 8])
def test_score_stands_when_there_are_few_models(models: int) -> None:
    assert _ordered(score_neurips_2023(**_inputs(models=models, oracle=models)))


def test_score_counts_buckets_by_the_smaller_side_when_numbers_of_models_differ() -> None:
    card = score_neurips_2023(**_inputs(models=9, oracle=40))
    assert card.models == 9
    assert card.forgetting_quality.value == forgetting_quality(card.epsilons, 9)
    assert _ordered(card)


def test_utility_is_not_clipped_when_the_entry_beats_the_oracle() -> None:
    card = score_neurips_2023(**_inputs() | {"unlearned_test_accuracy": np.full(32, 1.0)})
    assert card.utility.value > 1


def test_score_is_0_when_the_entry_classifies_nothing_right() -> None:
    card = score_neurips_2023(**_inputs() | {"unlearned_test_accuracy": np.zeros(32)})
    assert (card.utility.value, card.final_score.value) == (0, 0)
    assert _ordered(card)


def test_interval_of_utility_is_that_of_a_mean_when_only_one_accuracy_varies() -> None:
    varying, constant = np.linspace(0.7, 0.9, 50), np.full(50, 0.9)
    estimate = utility_estimate((varying, constant), (constant, constant))
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
        errors.append(quality_error(unlearned, retrained))
    assert 1 / 1.5 < np.mean(errors) / np.std(qualities) < 1.5


def test_registry_holds_the_metric_under_its_versioned_name() -> None:
    assert METRICS["neurips-2023"] is score_neurips_2023
    with pytest.raises(ValueError, match="exists already"):
        metric("neurips-2023")(score_neurips_2023)


def test_score_refuses_an_impossible_number_of_distinct_models() -> None:
    for wrong in (0, 33):
        with pytest.raises(ValueError, match="expected 1 to the number of models, 32"):
            score_neurips_2023(**_inputs() | {"distinct_models": wrong})


def _with(array: Any, index: tuple[int, ...], value: float) -> Any:
    changed = array.copy()
    changed[index] = value
    return changed


@pytest.mark.parametrize(
    ("name", "change", "says", "axis", "index"),
    [
        ("unlearned_logits", lambda a: _with(a, (3, 1, 2), np.nan), "unlearned_logits holds nan at seed 3", 0, 3),
        ("oracle_logits", lambda a: a[:, :9], "labels has 24 examples on axis 0", 0, 9),
        ("unlearned_retain_accuracy", lambda a: a[:30], "has 30 models on axis 0, the logits have 32", 0, 30),
        ("unlearned_test_accuracy", lambda a: _with(a, (5,), 1.5), "holds 1.5 on axis 0, index 5", 0, 5),
        ("oracle_retain_accuracy", lambda a: _with(a, (6,), np.inf), "holds inf at model 6", 0, 6),
        ("oracle_test_accuracy", lambda a: 0 * a, "is 0 for every model", 0, 0),
    ],
)
def test_score_refuses_with_axis_and_index_when(name: str, change: Any, says: str, axis: int, index: int) -> None:
    inputs = _inputs()
    with pytest.raises(BadArray, match=says) as caught:
        score_neurips_2023(**inputs | {name: change(inputs[name])})
    assert (caught.value.axis, caught.value.index) == (axis, index)
