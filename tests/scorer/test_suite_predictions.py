"""What suites read off logits, against the definitions written out and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.special import softmax
from scipy.stats import entropy

from services.scorer.metrics.evidence import Evidence, Models, Predictions
from services.scorer.metrics.suites import predictions

LOGITS = arrays(np.float32, (2, 3, 4), elements=st.floats(-30, 30, width=32))
LABELS = np.array([3, 0, 1])


def test_log_odds_are_the_hand_computed_ones_when_gaps_are_small_or_huge() -> None:
    logits = np.array([[[0.0, np.log(2), np.log(3)], [0.0, 0.0, 5000.0]]], np.float32)
    odds = predictions.log_odds(logits, np.array([2, 0]))
    assert odds == pytest.approx(np.array([[np.log(3 / 3), -5000.0]]), abs=1e-6)


def test_logits_stay_as_they_are_when_log_odds_are_computed() -> None:
    logits = np.arange(12.0).reshape(1, 3, 4)
    predictions.log_odds(logits, LABELS)
    assert (logits == np.arange(12.0).reshape(1, 3, 4)).all()


@given(LOGITS)
def test_losses_and_label_probabilities_follow_from_log_odds_of_any_logits(logits: NDArray[np.float32]) -> None:
    odds = predictions.log_odds(logits, LABELS)
    of_label = softmax(logits.astype(float), axis=2)[:, np.arange(3), LABELS]
    assert predictions.label_probabilities(odds) == pytest.approx(of_label, abs=1e-12)
    assert predictions.cross_entropies(odds) == pytest.approx(-np.log(of_label), rel=1e-9, abs=1e-12)


@given(LOGITS)
def test_entropies_equal_scipy_up_to_float16_of_any_logits(logits: NDArray[np.float32]) -> None:
    exact = entropy(softmax(logits.astype(float), axis=2), axis=2)
    assert predictions.entropies(logits) == pytest.approx(exact, rel=2**-10, abs=1e-7)
    assert (predictions.entropies(logits).astype(np.float16) == predictions.entropies(logits)).all()


def test_probabilities_are_exact_when_logits_are_half_precision_and_far_apart() -> None:
    assert predictions.probabilities(np.array([60000.0, -60000.0], np.float16)).tolist() == [1.0, 0.0]


def test_forget_accuracy_counts_labels_as_trained_and_the_first_of_tied_classes() -> None:
    logits = np.array([[[1.0, 1.0], [0.0, 2.0]], [[0.0, 1.0], [3.0, 2.0]]])
    models = Models(logits, np.ones(2), np.ones(2))
    assert predictions.forget_accuracies(models, Evidence(models, models, np.array([0, 1]))).tolist() == [1.0, 0.0]


def test_stored_margins_are_none_when_there_are_no_examples() -> None:
    empty = np.zeros((3, 0))
    nothing = Predictions(empty.astype(np.uint8), empty.astype(np.float32), empty.astype(np.float16))
    assert predictions.stored_margins(nothing) is None
    assert predictions.stored_margins(None) is None
