"""U-LiRA: against scipy's normal densities and scikit-learn's ROC curves, one example at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.metrics import roc_auc_score, roc_curve

from services.scorer.metrics.confidences import confidences
from services.scorer.metrics.evidence import Evidence, Models
from services.scorer.metrics.suites.u_lira import u_lira

LABELS = np.array([0, 1, 2, 0, 1])
NOTHING = {"accuracy": 0.5, "accuracy_p95": 0.5, "auc": 0.5, "tpr_at_1_percent_fpr": 0.0}


def models(logits: NDArray[np.float32]) -> Models:
    accuracies = np.ones(len(logits))
    return Models(logits, accuracies, accuracies)


def draw(count: int, shift: float, seed: int) -> NDArray[np.float32]:
    logits = np.random.default_rng(seed).normal(size=(count, len(LABELS), 3)).astype(np.float32)
    logits[:, np.arange(len(LABELS)), LABELS] += np.float32(shift)
    return logits


def log_ratios(tested: NDArray[np.float64], ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> list[float]:
    fits = [norm(side[::2].mean(), side[::2].std(ddof=1)) for side in (ours, theirs)]
    return [float(fits[0].logpdf(value) - fits[1].logpdf(value)) for value in tested[1::2]]


@pytest.mark.parametrize(("ours", "theirs"), [(9, 12), (4, 4), (250, 300)])
def test_columns_equal_scipy_and_sklearn_when_sides_differ(ours: int, theirs: int) -> None:
    unlearned, oracle = draw(ours, 1.0, 0), draw(theirs, 0.0, 1)
    values = u_lira(Evidence(models(unlearned), models(oracle), LABELS))
    accuracies, areas, scores, kinds = [], [], [], []
    for u, o in zip(confidences(unlearned, LABELS).T, confidences(oracle, LABELS).T, strict=True):
        positive, negative = log_ratios(u, u, o), log_ratios(o, u, o)
        accuracies.append((np.mean(np.array(positive) > 0) + np.mean(np.array(negative) <= 0)) / 2)
        kind = [1] * len(positive) + [0] * len(negative)
        areas.append(roc_auc_score(kind, positive + negative))
        scores += positive + negative
        kinds += kind
    alarms, hits, _ = roc_curve(kinds, scores, drop_intermediate=False)
    assert values["accuracy"] == pytest.approx(np.mean(accuracies), abs=1e-12)
    assert values["accuracy_p95"] == pytest.approx(np.percentile(accuracies, 95), abs=1e-12)
    assert values["auc"] == pytest.approx(np.mean(areas), abs=1e-12)
    assert values["tpr_at_1_percent_fpr"] == pytest.approx(hits[alarms <= 0.01].max(), abs=1e-12)


def test_attack_wins_nothing_when_all_models_are_copies() -> None:
    same = models(np.repeat(draw(1, 0.0, 2), 6, axis=0))
    assert u_lira(Evidence(same, same, LABELS)) == NOTHING


def test_attack_wins_all_and_stays_finite_when_constant_sides_differ() -> None:
    unlearned, oracle = (np.repeat(draw(1, shift, 2), 4, axis=0) for shift in (90.0, -90.0))
    values = u_lira(Evidence(models(unlearned), models(oracle), LABELS))
    assert values == dict.fromkeys(NOTHING, 1.0)


@pytest.mark.parametrize(("ours", "theirs"), [(3, 8), (8, 3), (1, 1)])
def test_columns_are_none_when_a_side_has_fewer_than_4_models(ours: int, theirs: int) -> None:
    evidence = Evidence(models(draw(ours, 1.0, 0)), models(draw(theirs, 0.0, 1)), LABELS)
    assert u_lira(evidence) == dict.fromkeys(NOTHING)


@given(st.permutations(range(4)), st.permutations(range(4)))
def test_columns_stay_when_models_change_places_within_fit_and_test(fit: list[int], test: list[int]) -> None:
    order = [place for pair in zip([2 * i for i in fit], [2 * i + 1 for i in test], strict=True) for place in pair]
    unlearned, oracle = draw(8, 0.5, 3), draw(8, 0.0, 4)
    values = u_lira(Evidence(models(unlearned), models(oracle), LABELS))
    assert u_lira(Evidence(models(unlearned[order]), models(oracle), LABELS)) == pytest.approx(values, abs=1e-9)
    assert all(0 <= (value or 0) <= 1 for value in values.values())
