"""The average gap, against hand-computed accuracies and scikit-learn's support vector classifier."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.svm import SVC

from services.scorer.metrics.evidence import Evidence, Models, Predictions
from services.scorer.metrics.suites.attacks import choose
from services.scorer.metrics.suites.average_gap import average_gap

NAMES = ("unlearning_accuracy", "remaining_accuracy", "testing_accuracy", "mia_efficacy")


def predictions(margins: NDArray[np.float64]) -> Predictions:
    return Predictions(
        np.zeros(margins.shape, np.uint8), margins.astype(np.float32), np.zeros(margins.shape, np.float16)
    )


def models(count: int, forget: int, test: int, probe: int, shift: float, seed: int = 0) -> Models:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(count, forget, 3)).astype(np.float32)
    logits[:, :, 0] += np.float32(shift)
    test_margins, probe_margins = rng.normal(0, 2, (count, test)), rng.normal(2, 2, (count, probe))
    accuracies = rng.uniform(size=(2, count))
    return Models(logits, accuracies[0], accuracies[1], predictions(test_margins), predictions(probe_margins))


def evidence(unlearned: Models, oracle: Models) -> Evidence:
    return Evidence(unlearned, oracle, np.zeros(unlearned.forget_logits.shape[1], np.int64))


def slow_efficacy(models: Models) -> float:
    assert models.test and models.probe
    count = min(500, models.test.margins.shape[1], models.probe.margins.shape[1])
    forget = softmax(models.forget_logits.astype(float), axis=2)[:, choose(models.forget_logits.shape[1], 500), 0]
    shares = []
    for n in range(min(32, len(models))):
        known = [
            1 / (1 + np.exp(-side.margins[n].astype(float)))[choose(side.margins.shape[1], count)]
            for side in (models.probe, models.test)
        ]
        attack = SVC(C=3, gamma=1.0).fit(np.concatenate(known).reshape(-1, 1), [1] * count + [0] * count)
        shares.append(np.mean(attack.predict(forget[n].reshape(-1, 1)) == 0))
    return 100 * float(np.mean(shares))


@pytest.mark.parametrize(
    ("count", "forget", "test", "probe"),
    [(3, 12, 20, 50), (3, 12, 50, 20), (34, 5, 2, 9), (1, 1, 2, 2), (1, 700, 700, 800)],
)
def test_columns_equal_the_definitions_when_all_is_there(count: int, forget: int, test: int, probe: int) -> None:
    unlearned, oracle = models(count, forget, test, probe, 1.0), models(count + 1, forget, test, probe, -1.0, seed=1)
    values = average_gap(evidence(unlearned, oracle))
    expected: dict[str, float] = {}
    for side, suffix in ((unlearned, ""), (oracle, "_oracle")):
        wrong = np.mean(side.forget_logits.argmax(axis=2) != 0)
        parts = (100 * wrong, 100 * side.retain_accuracy.mean(), 100 * side.test_accuracy.mean(), slow_efficacy(side))
        expected |= {name + suffix: value for name, value in zip(NAMES, parts, strict=True)}
    gaps = [abs(expected[name] - expected[f"{name}_oracle"]) for name in NAMES]
    assert values == pytest.approx({"average_gap": sum(gaps) / 4, **expected}, abs=1e-9)


def test_gap_is_0_when_both_sides_are_the_same() -> None:
    same = models(3, 5, 10, 10, 0.0)
    assert average_gap(evidence(same, same))["average_gap"] == 0


def test_attack_calls_all_members_when_forget_examples_look_retained() -> None:
    sure, unsure = predictions(np.full((1, 10), 9.0)), predictions(np.full((1, 10), -9.0))
    logits = np.zeros((1, 4, 3))
    logits[:, :, 0] = 9
    side = Models(logits, np.ones(1), np.ones(1), unsure, sure)
    turned = Models(logits, np.ones(1), np.ones(1), sure, unsure)
    values = average_gap(evidence(side, turned))
    assert values["mia_efficacy"] == 0 and values["mia_efficacy_oracle"] == 100
    assert values["average_gap"] == 25


def test_attack_stays_finite_when_probabilities_are_constant() -> None:
    flat = Models(
        np.zeros((1, 2, 3)), np.ones(1), np.ones(1), predictions(np.zeros((1, 4))), predictions(np.zeros((1, 9)))
    )
    values = average_gap(evidence(flat, flat))
    assert values["mia_efficacy"] in {0.0, 100.0}
    assert values["unlearning_accuracy"] == 0


@pytest.mark.parametrize(("test", "probe"), [(1, 10), (10, 1), (0, 10), (10, 0)])
def test_gap_and_attack_are_none_when_there_are_too_few_examples(test: int, probe: int) -> None:
    few = models(2, 3, test, probe, 0.0)
    values = average_gap(evidence(few, few))
    missing = {name for name, value in values.items() if value is None}
    assert missing == {"average_gap", "mia_efficacy", "mia_efficacy_oracle"}


def test_gap_is_none_when_the_oracle_alone_has_no_predictions() -> None:
    whole = models(2, 3, 10, 10, 0.0)
    bare = Models(whole.forget_logits, whole.retain_accuracy, whole.test_accuracy)
    values = average_gap(evidence(whole, bare))
    assert {name for name, value in values.items() if value is None} == {"average_gap", "mia_efficacy_oracle"}


def test_columns_stay_when_models_change_places() -> None:
    side = models(4, 6, 12, 12, 0.5)
    assert side.test and side.probe
    turned = Models(
        side.forget_logits[::-1],
        side.retain_accuracy[::-1],
        side.test_accuracy[::-1],
        predictions(side.test.margins[::-1].astype(float)),
        predictions(side.probe.margins[::-1].astype(float)),
    )
    assert average_gap(evidence(turned, side)) == pytest.approx(average_gap(evidence(side, side)), abs=1e-9)
