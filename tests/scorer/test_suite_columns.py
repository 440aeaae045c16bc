"""Every suite, by its registration: it returns its columns, on all evidence and on the least."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scorer.metrics import suites
from services.scorer.metrics.evidence import Evidence, Models, Predictions
from services.scorer.metrics.registry import SUITES, Suite

COLUMNS = {
    "starting-kit": {"mia_accuracy", "mia_accuracy_oracle"},
    "ssd": {"retain_accuracy", "forget_accuracy", "mia", "zrf", "activation_distance", "run_s"},
    "u-lira": {"accuracy", "accuracy_p95", "auc", "tpr_at_1_percent_fpr"},
    "klom": {"forget_mean", "forget_p95", "retain_mean", "retain_p95", "test_mean", "test_p95"},
    "rmia": {
        name + side for name in ("auc", "tpr_at_1_percent_fpr", "tpr_at_01_percent_fpr") for side in ("", "_oracle")
    },
    "controls": {
        name + side
        for name in ("quality_test", "quality_retain", "u_lira_test", "u_lira_excess", "klom_excess")
        for side in ("", "_oracle")
    },
    "memory": {
        name + side
        for name in (
            "memory",
            "drift",
            "balance_ratio",
            "joint_forget",
            "joint_test",
            "weights_moved",
            "weights_spread",
        )
        for side in ("", "_oracle")
    }
    | {"labels_kept", "labels_kept_oracle"},
    "tug-of-war": {"tug_of_war", "forget_difference", "retain_difference", "test_difference"},
    "average-gap": {
        "average_gap",
        *(
            part + side
            for part in ("unlearning_accuracy", "remaining_accuracy", "testing_accuracy", "mia_efficacy")
            for side in ("", "_oracle")
        ),
    },
}
NEED_NOTHING = {
    "ssd": {"retain_accuracy", "forget_accuracy", "activation_distance"},
    "klom": {"forget_mean", "forget_p95"},
    "tug-of-war": COLUMNS["tug-of-war"],
    "average-gap": {name for name in COLUMNS["average-gap"] if "accuracy" in name},
}
OF_THEIR_OWN = ("robustness", "placebo")  # read what no other suite does, and have test files of their own
NAMES = [name for name in suites.__all__ if name not in OF_THEIR_OWN]
NAMED = pytest.mark.parametrize("suite", [getattr(suites, name) for name in NAMES], ids=NAMES)


def models(rng: np.random.Generator, count: int, examples: int, others: int) -> Models:
    def predictions() -> Predictions:
        margins = rng.normal(0, 3, size=(count, others)).astype(np.float32)
        return Predictions(
            np.zeros((count, others), np.uint8), margins, rng.uniform(0, 1, (count, others)).astype(np.float16)
        )

    logits = rng.normal(size=(count, examples, 3)).astype(np.float32)
    sketch = rng.normal(size=(count, 16)).astype(np.float32)
    accuracies = rng.uniform(size=count), rng.uniform(size=count)
    return Models(logits, *accuracies, predictions(), predictions(), weight_sketch=sketch)


def full_evidence(seed: int, ours: int, theirs: int, examples: int, others: int) -> Evidence:
    rng = np.random.default_rng(seed)
    return Evidence(
        models(rng, ours, examples, others),
        models(rng, theirs, examples, others),
        rng.integers(0, 3, examples),
        rng.integers(0, 3, others),
        second_oracle=models(rng, theirs, examples, others),
        untrained=models(rng, 2, examples, others),
        originals=models(rng, 1, examples, others),
        run_s=1.0,
    )


def test_suites_are_registered_with_their_columns_when_the_package_is_imported() -> None:
    assert set(SUITES) >= set(COLUMNS)
    assert len(NAMES) == len(COLUMNS)
    for name, columns in COLUMNS.items():
        assert set(SUITES[name].columns) == columns
        assert len(SUITES[name].columns) == len(columns)


@NAMED
def test_suite_returns_exactly_its_columns_as_finite_floats_on_full_evidence(suite: Suite) -> None:
    evidence = full_evidence(0, 8, 9, 12, 20)
    assert set(suite.compute(evidence)) == COLUMNS[suite.name]
    values = suite(evidence)
    assert list(values) == list(suite.columns)
    known = {name: value for name, value in values.items() if not name.startswith("labels_kept")}  # too few by heart
    assert all(type(value) is float and math.isfinite(value) for value in known.values())


@NAMED
def test_suite_returns_none_for_what_is_missing_on_minimal_evidence(suite: Suite) -> None:
    one = Models(np.zeros((1, 1, 2), np.float32), np.ones(1), np.ones(1))
    evidence = Evidence(one, one, np.zeros(1, np.int64))
    assert set(suite.compute(evidence)) == COLUMNS[suite.name]
    values = suite(evidence)
    assert {name for name, value in values.items() if value is not None} == NEED_NOTHING.get(suite.name, set())


@NAMED
def test_suite_gives_the_same_values_and_leaves_the_evidence_alone_when_computed_twice(suite: Suite) -> None:
    evidence = full_evidence(1, 5, 6, 12, 30)
    before = [side.forget_logits.copy() for side in (evidence.unlearned, evidence.oracle)]
    assert suite(evidence) == suite(evidence)
    after = (evidence.unlearned.forget_logits, evidence.oracle.forget_logits)
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


@NAMED
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.integers(1, 6), st.integers(1, 6), st.integers(1, 9), st.sampled_from([0, 1, 2, 6, 11]))
def test_values_are_finite_or_none_when_evidence_is_small(
    suite: Suite, seed: int, ours: int, theirs: int, examples: int, others: int
) -> None:
    values = suite(full_evidence(seed, ours, theirs, examples, others))
    assert all(value is None or math.isfinite(value) for value in values.values())
