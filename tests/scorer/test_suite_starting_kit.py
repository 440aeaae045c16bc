"""The starting kit's attack, against the scikit-learn pipeline written out."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score

from services.scorer.metrics.evidence import Evidence, Models, Predictions
from services.scorer.metrics.suites.attacks import choose
from services.scorer.metrics.suites.starting_kit import starting_kit


def predictions(margins: NDArray[np.float64]) -> Predictions:
    return Predictions(
        np.zeros(margins.shape, np.uint8), margins.astype(np.float32), np.zeros(margins.shape, np.float16)
    )


def models(count: int, forget: int, test: int, shift: float, seed: int = 0) -> Models:
    """Build models of two classes, whose log-odds of label 0 are `shift` higher on forget than on test examples."""
    rng = np.random.default_rng(seed)
    logits = np.zeros((count, forget, 2))
    logits[:, :, 0] = rng.normal(shift, 1, size=(count, forget))
    return Models(logits, np.ones(count), np.ones(count), predictions(rng.normal(size=(count, test))))


def evidence(unlearned: Models, oracle: Models) -> Evidence:
    return Evidence(unlearned, oracle, np.zeros(unlearned.forget_logits.shape[1], np.int64))


def slow_accuracy(models: Models) -> float:
    assert models.test
    forget, test = models.forget_logits[:64, :, 0].astype(float), models.test.margins[:64].astype(float)
    count = min(forget.shape[1], test.shape[1])
    kinds = [0] * count + [1] * count
    scores = []
    for members, others in zip(forget[:, choose(forget.shape[1], count)], test, strict=True):
        margins = np.concatenate([others[choose(len(others), count)], members])
        splits = StratifiedShuffleSplit(n_splits=10, random_state=0)
        losses = np.minimum(np.logaddexp(0, -margins), 100)[:, None]
        scores.append(cross_val_score(LogisticRegression(tol=1e-8), losses, kinds, cv=splits, scoring="accuracy"))
    return float(np.mean(scores))


@pytest.mark.parametrize(("forget", "test"), [(30, 50), (50, 30), (6, 6)])
def test_accuracies_equal_sklearn_when_numbers_of_examples_differ(forget: int, test: int) -> None:
    unlearned, oracle = models(4, forget, test, 2.0), models(3, forget, test, 0.3, seed=1)
    assert starting_kit(evidence(unlearned, oracle)) == pytest.approx(
        {"mia_accuracy": slow_accuracy(unlearned), "mia_accuracy_oracle": slow_accuracy(oracle)}, abs=1e-12
    )


def test_only_the_first_64_models_count_when_there_are_more() -> None:
    many = models(70, 8, 9, 1.0)
    assert starting_kit(evidence(many, many))["mia_accuracy"] == pytest.approx(slow_accuracy(many), abs=1e-12)


def test_attack_is_a_coin_toss_when_losses_are_constant() -> None:
    same = Models(np.zeros((2, 20, 2)), np.ones(2), np.ones(2), predictions(np.zeros((2, 20))))
    assert starting_kit(evidence(same, same)) == {"mia_accuracy": 0.5, "mia_accuracy_oracle": 0.5}


def test_attack_wins_when_losses_do_not_overlap() -> None:
    easy = models(1, 40, 40, 1000.0)
    assert starting_kit(evidence(easy, easy))["mia_accuracy"] == pytest.approx(slow_accuracy(easy), abs=1e-12)
    hard = models(1, 40, 40, -1e30)
    assert starting_kit(evidence(hard, hard))["mia_accuracy"] == 1.0


def test_losses_end_at_100_when_one_example_diverged() -> None:
    diverged = models(3, 30, 30, 2.0)
    diverged.forget_logits[:, 7, 0] = -1e6
    value = starting_kit(evidence(diverged, diverged))["mia_accuracy"]
    assert value == pytest.approx(slow_accuracy(diverged), abs=1e-12)


def test_accuracy_stays_when_models_change_places() -> None:
    few = models(5, 10, 12, 1.0)
    assert few.test
    turned = Models(few.forget_logits[::-1], np.ones(5), np.ones(5), predictions(few.test.margins[::-1].astype(float)))
    assert starting_kit(evidence(turned, few))["mia_accuracy"] == pytest.approx(slow_accuracy(few), abs=1e-12)


@pytest.mark.parametrize(("forget", "test"), [(5, 100), (100, 5), (1, 1), (20, 0)])
def test_accuracies_are_none_when_there_are_too_few_examples(forget: int, test: int) -> None:
    few = models(2, forget, test, 1.0)
    assert starting_kit(evidence(few, few)) == {"mia_accuracy": None, "mia_accuracy_oracle": None}


def test_one_side_is_none_when_its_test_predictions_are_missing() -> None:
    whole = models(2, 10, 10, 1.0)
    bare = Models(whole.forget_logits, np.ones(2), np.ones(2))
    values = starting_kit(evidence(whole, bare))
    assert values["mia_accuracy"] is not None and values["mia_accuracy_oracle"] is None
