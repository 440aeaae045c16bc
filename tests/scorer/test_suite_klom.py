"""KLoM: binned divergences of margins, against np.histogram and scipy's entropy, one example at a time."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import entropy

from services.scorer.metrics.evidence import Evidence, Models, Predictions
from services.scorer.metrics.suites.klom import divergences, klom

Margins = NDArray[np.floating[Any]]


def slow_divergence(unlearned: Margins, oracle: Margins) -> float:
    p, q = (np.clip(side.astype(float), -100, 100) for side in (unlearned, oracle))
    low, high = min(p.min(), q.min()), max(p.max(), q.max())
    if low == high:
        return 0.0
    p, q = (np.histogram(side, bins=20, range=(low, high))[0] / len(side) for side in (p, q))
    q[(p > 0) & (q < 1e-5)] = 1e-5
    return float(entropy(p, q))


def predictions(margins: Margins) -> Predictions:
    return Predictions(
        np.zeros(margins.shape, np.uint8), margins.astype(np.float32), np.zeros(margins.shape, np.float16)
    )


def models(rng: np.random.Generator, count: int, shift: float) -> Models:
    logits = rng.normal(size=(count, 7, 3)).astype(np.float32)
    logits[:, :, 0] += shift
    accuracies = np.full(count, 0.5)
    test, probe = (predictions(rng.normal(shift, 2, size=(count, size))) for size in (5, 9))
    return Models(logits, accuracies, accuracies, test, probe)


def test_divergence_is_the_hand_computed_one_when_half_of_the_models_moved() -> None:
    unlearned, oracle = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([[0.0], [0.0], [0.0], [1.0]])
    expected = 0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(0.5 / 0.25)
    assert divergences(unlearned, oracle) == pytest.approx([expected], abs=1e-12)


def test_divergence_ends_near_the_floor_when_no_model_agrees() -> None:
    far = divergences(np.full((3, 1), 5.0), np.full((4, 1), -5.0))
    assert far == pytest.approx([np.log((1 + 1e-5) / 1e-5)], abs=1e-9)


def test_maximum_belongs_to_the_last_bin_when_only_one_side_reaches_it() -> None:
    unlearned, oracle = np.array([[0.0], [20.0]]), np.array([[0.0], [19.5]])
    assert divergences(unlearned, oracle) == pytest.approx([0.0], abs=1e-15)


def test_margins_are_clipped_when_beyond_100() -> None:
    unlearned, oracle = np.array([[1e6], [-np.inf]]), np.array([[100.0], [-100.0]])
    assert divergences(unlearned, oracle).tolist() == [0.0]


def test_divergences_equal_the_slow_ones_when_sides_differ_in_size() -> None:
    rng = np.random.default_rng(1)
    unlearned = rng.normal(0.3, rng.uniform(0.5, 60, 1203), size=(40, 1203)).astype(np.float32)
    oracle = rng.normal(0, 3, size=(64, 1203)).astype(np.float32)
    slow = [slow_divergence(a, b) for a, b in zip(unlearned.T, oracle.T, strict=True)]
    assert divergences(unlearned, oracle) == pytest.approx(slow, abs=1e-12)


@given(arrays(np.float32, (6, 3), elements=st.floats(-200, 200, width=32)))
def test_divergence_is_0_when_both_sides_hold_the_same_models(margins: Margins) -> None:
    assert divergences(margins, margins[::-1]).tolist() == [0, 0, 0]


@given(arrays(np.float32, (5, 2), elements=st.floats(-9, 9, width=32)), st.permutations(range(5)))
def test_divergence_is_finite_and_the_same_when_models_change_places(margins: Margins, order: list[int]) -> None:
    other = np.linspace(-4, 4, 16).reshape(8, 2)
    value = divergences(margins, other)
    assert np.isfinite(value).all() and (value >= 0).all()
    assert divergences(margins[order], other).tolist() == value.tolist()


def test_columns_are_means_and_percentiles_of_the_slow_divergences_when_all_is_there() -> None:
    rng = np.random.default_rng(2)
    unlearned, oracle, labels = models(rng, 20, 1.0), models(rng, 30, 0.0), np.array([0, 1, 2, 0, 1, 2, 0])
    values = klom(Evidence(unlearned, oracle, labels))

    def margins(side: Models) -> Margins:
        logits = side.forget_logits.astype(float)
        rest = [np.delete(logits[:, s], labels[s], axis=1) for s in range(7)]
        return np.stack([logits[:, s, labels[s]] - logsumexp(rest[s], axis=1) for s in range(7)], axis=1)

    assert unlearned.test and unlearned.probe and oracle.test and oracle.probe
    for part, ours, theirs in (
        ("forget", margins(unlearned), margins(oracle)),
        ("retain", unlearned.probe.margins, oracle.probe.margins),
        ("test", unlearned.test.margins, oracle.test.margins),
    ):
        each = [slow_divergence(a, b) for a, b in zip(ours.T, theirs.T, strict=True)]
        assert values[f"{part}_mean"] == pytest.approx(np.mean(each), abs=1e-9)
        assert values[f"{part}_p95"] == pytest.approx(np.quantile(each, 0.95), abs=1e-9)


def test_retain_and_test_columns_are_none_when_one_side_has_no_predictions() -> None:
    rng = np.random.default_rng(3)
    whole = models(rng, 2, 0.0)
    bare = Models(whole.forget_logits, whole.retain_accuracy, whole.test_accuracy)
    values = klom(Evidence(whole, bare, np.zeros(7, np.int64)))
    assert values == {
        "forget_mean": 0.0,
        "forget_p95": 0.0,
        **dict.fromkeys(("retain_mean", "retain_p95", "test_mean", "test_p95")),
    }
