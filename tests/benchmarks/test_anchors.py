"""A benchmark with a planted trigger and with anchors for the robustness stage, built small."""

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load

from services.benchmarks.build import build_benchmark
from services.benchmarks.catalogue import DEFINITIONS
from services.benchmarks.cutting import cut
from services.benchmarks.order import Order
from services.benchmarks.poison import BadPoison, Poison
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import NoRobustness, robustness_of
from services.core.errors import BadInput
from services.scorer.scoring import compute_suites, forgetting_quality_of, gather
from services.worker.runner import tensors
from services.worker.runner.measurer import Measurer
from tests.definitions import placebo_of, recipe_of

POISONED = DEFINITIONS["digits-poisoned"]
DATASET = POISONED.read(None, cache=Path())
SEEDS, ORIGINALS = 8, 2


@pytest.fixture(scope="module")
def order() -> Order:
    definition = replace(
        POISONED,
        recipe=replace(recipe_of(POISONED), epochs=15),
        placebo=replace(placebo_of(POISONED), starts=1, models=8),
    )
    return Order(
        definition=definition,
        dataset=DATASET,
        seeds=SEEDS,
        quality=forgetting_quality_of,
        secret=b"s" * 32,
        min_placebo_ratio=0.0,
        originals=ORIGINALS,
        robustness=True,
    )


@pytest.fixture(scope="module")
def bundle(order: Order, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return build_benchmark(order, tmp_path_factory.mktemp("poisoned") / "bundle")


def test_anchors_are_models_of_the_oracle_and_all_originals(bundle: Bundle) -> None:
    oracle, original, described = bundle.stress_of("oracle"), bundle.stress_of("original"), bundle.manifest.robustness
    assert oracle is not None and original is not None and described is not None
    bundle.verify()
    assert (len(oracle), len(original)) == (SEEDS, ORIGINALS)
    assert (described.oracle, described.relearned) == (SEEDS, SEEDS)
    assert described.poisoned == oracle.poison_given.shape[1] > 200
    assert described.reading_s > 0 and described.relearning_s > 0 and described.memory_bytes > 10**8
    assert original.distance[:, 0].tolist() == [0.0] * ORIGINALS
    assert described.extra_s(100) == pytest.approx(100 * described.reading_s + SEEDS * described.relearning_s)


def test_the_original_follows_the_trigger_and_retrained_models_do_not(bundle: Bundle) -> None:
    oracle, original = bundle.stress_of("oracle"), bundle.stress_of("original")
    assert oracle is not None and original is not None
    assert original.poison_given.mean() > 0.8
    assert oracle.poison_given.mean() < 0.2
    assert "trigger" in bundle.manifest.scenario
    assert not (bundle.public / "poison.safetensors").exists()


def test_the_measurer_reads_the_originals_as_the_build_did(bundle: Bundle, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    measurer, anchor = Measurer(bundle.root), bundle.stress_of("original")
    assert anchor is not None
    for place in range(ORIGINALS):
        (tmp_path / "checkpoint").write_bytes(tensors.encode(load(bundle.original_of(place))))
        measured = measurer.measure(tmp_path / "checkpoint", {"start": place, "relearn": True})
        found = load(base64.b64decode(measured["stress"]))
        for name in ("forget_margin", "control_margin", "poison_given", "distance", "relearned_forget_margin"):
            assert np.allclose(found[name], getattr(anchor, name)[place], atol=1e-5), name


def test_columns_of_the_anchors_themselves_are_0_and_1(bundle: Bundle) -> None:
    for name, side, ideal in (("oracle", bundle.oracle(), 0.0), ("original", bundle.measurements_of("original"), 1.0)):
        stress = bundle.stress_of("oracle" if name == "oracle" else "original")
        assert side is not None and stress is not None
        values = compute_suites(gather(side, bundle, stress=stress))["robustness"]
        for column in ("clean_memory", "int8_memory", "int4_memory", "perturbed_memory", "relearning"):
            assert values[column] == pytest.approx(ideal, abs=0.02), (name, column)


def test_a_trigger_leaves_wrong_labels_and_everything_else_alone() -> None:
    clean = cut(replace(POISONED, poison=None), DATASET)
    poisoned = cut(POISONED, DATASET)
    assert clean.poison is None and poisoned.poison is not None
    changed = (clean.splits.forget.images != poisoned.splits.forget.images).any(axis=1)
    assert not changed[:30].any() and changed[30:].all()
    assert np.array_equal(clean.splits.forget.labels[:30], poisoned.splits.forget.labels[:30])
    assert (poisoned.splits.forget.labels[30:] == 0).all()
    for name in ("retain", "validation", "test"):
        assert np.array_equal(clean.splits.named()[name].images, poisoned.splits.named()[name].images)
    assert (clean.splits.test.images.reshape(-1, 8, 8)[:, -2:, -2:] != 1).any()
    assert (poisoned.poison.images.reshape(-1, 8, 8)[:, -2:, -2:] == 1).all()


def test_more_poison_than_forget_examples_is_refused() -> None:
    with pytest.raises(BadPoison, match="60 examples"):
        cut(replace(POISONED, poison=Poison(images=61, label=0)), DATASET)


def test_a_certified_benchmark_has_no_anchors(order: Order, tmp_path: Path) -> None:
    certified = replace(order, definition=DEFINITIONS["certified-digits"])
    with pytest.raises(BadInput, match="Leave out --robustness"):
        build_benchmark(certified, tmp_path / "bundle")


def test_a_bundle_without_anchors_says_how_to_get_them(bundle: Bundle) -> None:
    with pytest.raises(NoRobustness, match="lethe benchmark build digits-poisoned --robustness"):
        robustness_of(bundle.manifest.model_copy(update={"robustness": None}))
