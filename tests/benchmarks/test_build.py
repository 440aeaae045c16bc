"""The digits benchmark, built small."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from services.benchmarks.build import AlreadyBuilt, UnknownBenchmark, build_benchmark
from services.benchmarks.definitions import DEFINITIONS
from services.benchmarks.fitness import UnfitBenchmark
from services.benchmarks.lockstep import initialise, train
from services.benchmarks.oracle import (
    DivergedOracle,
    derive_seed,
    derive_seeds,
    find_diverged,
    train_without_diverged,
)
from services.benchmarks.scenarios import random_with_wrong_labels
from services.core import readings
from services.core.bundle import BadBundle, Bundle
from services.scorer.scoring import forgetting_quality_of

SECRET = b"s" * 32
SEEDS = 8


def build(destination: Path, **options: Any) -> Bundle:
    arguments: dict[str, Any] = {
        "seeds": SEEDS,
        "secret": SECRET,
        "forgetting_quality": forgetting_quality_of,
        "min_placebo_ratio": 0.0,  # with so few models F is too coarse to tell
    }
    return build_benchmark("digits", destination, **(arguments | options))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return build(tmp_path_factory.mktemp("digits") / "digits")


def test_bundle_is_whole_and_says_what_it_is(bundle: Bundle) -> None:
    bundle.verify()
    manifest = bundle.manifest
    assert manifest.counts.model_dump() == {"retain": 1140, "forget": 60, "validation": 197, "test": 400}
    assert (manifest.oracle_seeds, len(bundle.oracle())) == (SEEDS, SEEDS)
    assert manifest.fitness.original_forget_accuracy >= 0.9
    assert manifest.fitness.oracle_test_accuracy > 0.9
    assert [(spec.name, spec.shape) for spec in manifest.checkpoint] == [
        ("head.bias", (10,)),
        ("head.weight", (10, 64)),
        ("hidden.bias", (64,)),
        ("hidden.weight", (64, 64)),
    ]


def test_flipped_byte_is_caught(bundle: Bundle) -> None:
    path = bundle.root / "hidden/test.safetensors"
    intact = path.read_bytes()
    path.write_bytes(intact[:-1] + bytes([intact[-1] ^ 1]))
    with pytest.raises(BadBundle, match="hidden/test"):
        bundle.verify()
    path.write_bytes(intact)


def test_same_secret_gives_the_same_digest(bundle: Bundle, tmp_path: Path) -> None:
    assert build(tmp_path / "again").manifest.digest == bundle.manifest.digest


def test_splits_share_no_image(bundle: Bundle) -> None:
    """Indexes are disjoint; the few images that scikit-learn's data hold twice do not count."""
    images = [
        bundle.arrays(f"{'hidden' if name == 'test' else 'public'}/{name}.safetensors")["image"]
        for name in ("retain", "forget", "validation", "test")
    ]
    rows = np.concatenate(images)
    assert len(rows) == 1797
    assert len(np.unique(rows, axis=0)) == len(np.unique(DEFINITIONS["digits"].dataset().images, axis=0))


def test_oracle_model_is_the_plain_recipe_on_the_retain_set_alone(bundle: Bundle) -> None:
    """Trained here again from the bundle's public files: forget images cannot have had a part in it."""
    definition = DEFINITIONS["digits"]
    retain = bundle.arrays("public/retain.safetensors")
    seed = derive_seeds(SECRET, "oracle", SEEDS)[:1]
    model = train(
        definition.build,
        initialise(definition.build, seed),
        images=torch.from_numpy(retain["image"]),
        labels=torch.from_numpy(retain["label"]),
        seeds=seed,
        recipe=definition.recipe,
    )
    sketch = readings.weight_sketch({name: value[0].numpy() for name, value in model.items()})
    np.testing.assert_allclose(sketch, bundle.oracle().weight_sketch[0], rtol=1e-2, atol=1e-2)


def test_other_models_are_measured_too(bundle: Bundle) -> None:
    """A second oracle for the ceiling, the original model, and untrained ones."""
    second, original, untrained = (bundle.measurements_of(name) for name in ("second_oracle", "original", "untrained"))
    assert second is not None
    assert original is not None
    assert untrained is not None
    assert (len(second), len(original), len(untrained)) == (SEEDS, 1, 8)
    hashes = {row.tobytes() for side in (second, bundle.oracle()) for row in side.checkpoint_sha256}
    assert len(hashes) == 2 * SEEDS
    labels = bundle.forget_labels()
    assert (original.forget_logits[0].argmax(axis=1) == labels).mean() >= 0.9
    assert (untrained.forget_logits.argmax(axis=2) == labels).mean() < 0.5
    assert bundle.manifest.oracle_replaced == 0
    np.testing.assert_array_equal(bundle.probe_labels(), bundle.arrays("public/retain.safetensors")["label"][:2000])
    assert bundle.forget_subjects() is None


class Trainer:
    """Trains models that are their own seed; those of the named seeds diverge."""

    def __init__(self, *diverging: int) -> None:
        self.diverging = diverging

    def train(self, seeds: Any) -> dict[str, torch.Tensor]:
        return {"seed": torch.tensor(list(seeds))}

    def diverged(self, models: dict[str, torch.Tensor]) -> list[int]:
        return [position for position, seed in enumerate(models["seed"].tolist()) if seed in self.diverging]

    def run(self, count: int) -> tuple[list[int], int]:
        models, replaced = train_without_diverged(
            self.train, self.diverged, seeds=range(count), spare=lambda number: count + number
        )
        return models["seed"].tolist(), replaced


def test_diverged_oracle_models_are_retrained_from_further_seeds() -> None:
    """Also a replacement that diverges in its turn."""
    assert Trainer().run(200) == (list(range(200)), 0)
    assert Trainer(7).run(200) == ([200 if seed == 7 else seed for seed in range(200)], 1)
    assert Trainer(7, 200).run(200) == ([201 if seed == 7 else seed for seed in range(200)], 2)


def test_more_than_one_percent_of_diverged_models_build_nothing() -> None:
    for trainer, count in ((Trainer(1, 2, 3), 200), (Trainer(7, 200, 201), 200), (Trainer(5), 99)):
        with pytest.raises(DivergedOracle, match="learning rate"):
            trainer.run(count)


def test_a_model_is_diverged_when_not_finite_or_far_below_the_median(bundle: Bundle) -> None:
    definition, retain = DEFINITIONS["digits"], bundle.arrays("public/retain.safetensors")
    original = bundle.arrays("public/original.safetensors")
    models = {name: torch.stack([torch.from_numpy(value)] * 5) for name, value in original.items()}
    assert find_diverged(definition.build, models, retain) == []
    models["head.bias"][1, 3] = float("nan")
    models["head.weight"][4] *= -1
    assert find_diverged(definition.build, models, retain) == [1, 4]


def test_forget_set_carries_the_wrong_labels_and_retain_none(bundle: Bundle) -> None:
    dataset = DEFINITIONS["digits"].dataset()
    truth = {image.tobytes(): label for image, label in zip(dataset.images, dataset.labels, strict=True)}
    wrong = {}
    for name in ("retain", "forget"):
        arrays = bundle.arrays(f"public/{name}.safetensors")
        wrong[name] = sum(
            truth[image.tobytes()] != label for image, label in zip(arrays["image"], arrays["label"], strict=True)
        )
    assert wrong == {"retain": 0, "forget": 12}


def test_unfit_benchmark_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnfitBenchmark, match="placebo ratio"):
        build(tmp_path / "digits", min_placebo_ratio=1e9)
    assert list(tmp_path.iterdir()) == []


def test_unknown_name_and_taken_place_say_what_to_do(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(UnknownBenchmark, match="digits"):
        build_benchmark("nothing", tmp_path, seeds=8, secret=None, forgetting_quality=forgetting_quality_of)
    with pytest.raises(AlreadyBuilt, match="--out"):
        build(bundle.root)


def test_seeds_differ_by_purpose_and_index() -> None:
    """First value computed with `openssl dgst -sha256 -mac HMAC -macopt key:key` on `oracle|0`."""
    assert derive_seed(b"key", "oracle", 0) == 0x31D3B48EC15AB689
    seeds = {derive_seed(b"k", purpose, index) for purpose in ("oracle", "second", "placebo") for index in range(512)}
    assert len(seeds) == 3 * 512


def test_wrong_labels_are_always_other_classes() -> None:
    labels = np.arange(1000) % 10
    scenario = random_with_wrong_labels(labels, classes=10, forget=100, wrong=40, generator=np.random.default_rng(0))
    assert (scenario.labels != labels).sum() == 40
    assert set(scenario.forget) | set(scenario.retain) == set(range(1000))
    assert len(scenario.forget) == 100
