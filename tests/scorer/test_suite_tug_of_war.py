"""Tug of war: a product of three differences, against hand-computed cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scorer.metrics.evidence import Evidence, Models
from services.scorer.metrics.suites.tug_of_war import tug_of_war

Rows = list[tuple[float, float, list[int]]]


def models(rows: Rows) -> Models:
    """Build a model per row: its retain accuracy, test accuracy and the classes it gives to three forget examples."""
    retain, test, classes = zip(*rows, strict=True)
    return Models(np.eye(3)[np.array(classes)], np.array(retain), np.array(test))


LABELS = np.array([0, 1, 2])  # as trained
ROW = st.tuples(st.floats(0, 1), st.floats(0, 1), st.lists(st.integers(0, 2), min_size=3, max_size=3))


def test_product_is_the_hand_computed_one_when_accuracies_differ() -> None:
    unlearned = models([(0.9, 0.7, [0, 0, 0]), (0.7, 0.9, [0, 1, 0])])  # forget 1/3 and 2/3
    oracle = models([(1.0, 0.6, [0, 1, 2])])
    values = tug_of_war(Evidence(unlearned, oracle, LABELS))
    assert values == pytest.approx(
        {
            "tug_of_war": 0.5 * 0.8 * 0.8,
            "forget_difference": -0.5,
            "retain_difference": -0.2,
            "test_difference": 0.2,
        },
        abs=1e-12,
    )


def test_product_is_1_when_only_single_models_differ() -> None:
    unlearned = models([(0.9, 0.7, [0, 1, 2]), (0.7, 0.9, [1, 2, 0])])
    oracle = models([(0.7, 0.9, [0, 1, 2]), (0.9, 0.7, [1, 2, 0])])
    assert tug_of_war(Evidence(unlearned, oracle, LABELS))["tug_of_war"] == pytest.approx(1, abs=1e-12)


@given(st.lists(ROW, min_size=1, max_size=4), st.lists(ROW, min_size=1, max_size=4))
def test_product_lies_in_0_to_1_and_ignores_order_when_models_are_any(ours: Rows, theirs: Rows) -> None:
    values = tug_of_war(Evidence(models(ours), models(theirs), LABELS))
    assert 0 <= (values["tug_of_war"] or 0) <= 1
    assert tug_of_war(Evidence(models(ours[::-1]), models(theirs[::-1]), LABELS)) == pytest.approx(values, abs=1e-12)
    assert tug_of_war(Evidence(models(ours), models(ours), LABELS))["tug_of_war"] == 1
