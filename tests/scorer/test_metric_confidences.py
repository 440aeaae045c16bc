"""Logit-scaled confidences: values, precision, and what is refused."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.scorer.metrics import BadArray, confidences

LOWEST = np.log(1e-45) - np.log(1 + 1e-45)


def _draw(dtype: type = np.float32) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    rng = np.random.default_rng(0)
    return rng.normal(0, 4, (6, 20, 10)).astype(dtype), rng.integers(0, 10, 20)


def test_confidences_are_the_log_odds_of_the_label() -> None:
    logits, labels = _draw()
    got = confidences(logits, labels)
    assert got.shape == (6, 20)
    assert got.dtype == np.float64
    for seed, example in np.ndindex(got.shape):
        row = logits[seed, example].astype(np.float64)
        own = row[labels[example]]
        others = np.delete(row, labels[example])
        assert got[seed, example] == pytest.approx(own - np.logaddexp.reduce(others), abs=1e-5)


def test_confidence_is_exact_when_all_logits_are_equal() -> None:
    assert confidences(np.zeros((1, 1, 2), np.float32), np.array([0]))[0, 0] == 0.0
    assert confidences(np.zeros((1, 1, 10), np.float32), np.array([3]))[0, 0] == pytest.approx(-np.log(9), abs=1e-15)


def test_exp_is_taken_in_float32_when_the_logits_are_float32() -> None:
    logits = np.array([[[0.0, -2.3, -7.1]]], np.float32)
    exps = [float(np.exp(value)) for value in logits[0, 0]]
    assert confidences(logits, np.array([0]))[0, 0] == pytest.approx(
        np.log(exps[0] / sum(exps)) - np.log(exps[1] / sum(exps) + exps[2] / sum(exps)), abs=1e-14
    )


def test_half_precision_is_upcast_so_that_gaps_beyond_17_do_not_saturate() -> None:
    logits = np.array([[[40.0, 0.0]]], np.float16)
    assert confidences(logits, np.array([0]))[0, 0] == pytest.approx(40.0, abs=1e-4)
    logits, labels = _draw(np.float16)
    np.testing.assert_array_equal(confidences(logits, labels), confidences(logits.astype(np.float32), labels))


def test_confidences_end_at_the_logarithm_of_1e_45_when_a_class_is_impossible() -> None:
    logits = np.array([[[3e38, -3e38]]], np.float32)
    assert confidences(logits, np.array([1]))[0, 0] == pytest.approx(LOWEST, abs=1e-9)
    assert confidences(logits, np.array([0]))[0, 0] == pytest.approx(-LOWEST, abs=1e-9)


def test_confidences_leave_the_logits_alone() -> None:
    logits, labels = _draw()
    copy = logits.copy()
    logits.flags.writeable = False
    confidences(logits, labels)
    np.testing.assert_array_equal(logits, copy)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_confidences_name_the_seed_when_a_logit_is_not_finite(bad: float) -> None:
    logits, labels = _draw()
    logits[4, 7, 2] = bad
    with pytest.raises(BadArray, match=r"oracle is -?(nan|inf) at seed 4, example 7, class 2") as caught:
        confidences(logits, labels, name="oracle")
    assert (caught.value.axis, caught.value.index) == (0, 4)


@pytest.mark.parametrize(
    ("shape", "labels", "says", "axis", "index"),
    [
        ((2, 3), [0, 0, 0], "logits has 2 axes", 2, None),
        ((2, 0, 4), [], r"logits is empty on axis 1 \(example\)", 1, 0),
        ((2, 3, 1), [0, 0, 0], "logits has one class on axis 2", 2, 0),
        ((2, 3, 4), [0, 0], "labels has 2 examples on axis 0, but the logits have 3 on axis 1", 0, 2),
        ((2, 3, 4), [0, 0, 4], "labels is 4 on axis 0, index 2; expected 0 to 3", 0, 2),
        ((2, 3, 4), [0, -1, 0], "labels is -1 on axis 0, index 1", 0, 1),
        ((2, 3, 4), [0.0, 1.0, 0.0], "labels has dtype float64", 0, None),
        ((2, 3, 4), [[0], [0], [0]], "labels has 2 axes", 1, None),
    ],
)
def test_confidences_refuse_with_axis_and_index_when_given(
    shape: tuple[int, ...], labels: list[int], says: str, axis: int, index: int | None
) -> None:
    with pytest.raises(BadArray, match=says) as caught:
        confidences(np.zeros(shape, np.float32), np.array(labels))
    assert (caught.value.axis, caught.value.index) == (axis, index)
