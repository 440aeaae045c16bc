"""What all entries of a benchmark share is computed once, and changes no score by a bit."""

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from services.core.bundle.directory import Bundle
from services.core.bundle.measurements import Measurements
from services.scorer.metrics import METRICS, Models, confidences, epsilons, memory
from services.scorer.metrics.memory import remembered
from services.scorer.scoring import gather
from tests.bundles import make_tiny_bundle
from tests.scorer.evidence import draw_evidence
from tests.scorer.outputs import World

SPLITS = 16


def flat(value: Any) -> Any:
    """Make a card comparable to the last bit."""
    if is_dataclass(value):
        return {field.name: flat(getattr(value, field.name)) for field in fields(value)}
    return (value.dtype.str, value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value


def copy(models: Models) -> Models:
    """Copy models, so that nothing is known of them."""
    return replace(models, forget_logits=models.forget_logits.copy())


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_a_further_entry_gets_the_score_that_it_would_get_as_the_first(
    metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    first = world.evidence(world.retrained(32), oracle=32)
    assert first.second_oracle is not None
    METRICS[metric](first)
    entry = world.models(world.unlearned(32, remembered=0.1))
    further = METRICS[metric](first.of(entry))
    alone = replace(first, unlearned=copy(entry), oracle=copy(first.oracle), second_oracle=copy(first.second_oracle))
    monkeypatch.setattr(memory, "KEPT", 0)
    assert flat(METRICS[metric](alone)) == flat(further)


def test_the_ceiling_is_computed_once_for_a_benchmark_and_number_of_models(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def counting(*sides: NDArray[np.float64], trim: float) -> NDArray[np.float32]:
        compared.append(len(sides[0]))
        return epsilons(*sides, trim=trim)

    monkeypatch.setattr("services.scorer.metrics.lethe_1.epsilons", counting)
    first = draw_evidence(second=32, seed=7)
    entry = draw_evidence(1.0, seed=8).unlearned
    evaluation = 1 + 2 * SPLITS
    for evidence, expected in (
        (first, 2 * evaluation),
        (first.of(entry), evaluation),
        (replace(first.of(copy(entry)), oracle=copy(first.oracle)), evaluation),  # read again from the disk
        (draw_evidence(second=32, seed=9), 2 * evaluation),  # of another benchmark
        (draw_evidence(models=24, oracle=24, second=24, seed=7), 2 * evaluation),
    ):
        compared.clear()
        METRICS["lethe-1"](evidence)
        assert len(compared) == expected


def test_results_are_remembered_by_content_and_the_oldest_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    @remembered
    def total(one: NDArray[np.float64], other: NDArray[np.float64] | None) -> float:
        calls.append(1)
        return float(one.sum()) + (0.0 if other is None else float(other.sum()))

    array = np.arange(6.0).reshape(2, 3)
    assert [total(array, None), total(array.copy(), None), total(array, array)] == [15.0, 15.0, 30.0]
    assert len(calls) == 2
    array[0, 0] = 1.0
    assert total(array, None) == 16.0
    assert total(array.reshape(3, 2), None) == 16.0
    assert total(array.astype(np.float32), None) == 16.0
    assert len(calls) == 5
    monkeypatch.setattr(memory, "KEPT", 2)
    total(np.ones(1), None)
    total(array, None)
    assert len(calls) == 7


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("examples", [1, 7, 60, 5000])
@pytest.mark.parametrize("classes", [2, 10, 33])
def test_confidences_of_many_models_are_those_of_each(dtype: str, examples: int, classes: int) -> None:
    rng = np.random.default_rng(classes)
    logits = rng.normal(0, 20, (9, examples, classes)).astype(dtype)
    labels = rng.integers(0, classes, examples)
    each = np.concatenate([confidences(one[None], labels) for one in logits])
    assert confidences(logits, labels).tobytes() == each.tobytes()


def test_a_benchmark_is_read_once_for_all_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, oracle = [], Bundle.oracle

    def reading(bundle: Bundle) -> Measurements:
        read.append(bundle.root)
        return oracle(bundle)

    monkeypatch.setattr(Bundle, "oracle", reading)
    bundle = make_tiny_bundle(tmp_path / "one", oracle_seeds=16)
    entry = oracle(bundle)
    one, other = gather(entry.first(8), bundle), gather(entry.first(8), Bundle(bundle.root))
    assert one.oracle is other.oracle
    assert len(read) == 1
    assert len(gather(entry.first(6), bundle).oracle) == 6


def test_shared_confidences_cannot_be_changed() -> None:
    evidence = draw_evidence()
    shared = evidence.oracle.confidences(evidence.forget_labels)
    assert shared is evidence.oracle.confidences(evidence.forget_labels.copy())
    with pytest.raises(ValueError, match="read-only"):
        shared[0, 0] = 0.0
