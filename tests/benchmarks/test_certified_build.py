"""Certified benchmarks, built with few steps and models: an original for each seed, and what is kept of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load
from typer.testing import CliRunner

from services.benchmarks.architecture import Architecture
from services.benchmarks.build import build_benchmark
from services.benchmarks.catalogue import DEFINITIONS
from services.benchmarks.datasets import Dataset
from services.benchmarks.datasets.dataset import Parts
from services.benchmarks.examples import Examples
from services.benchmarks.training.noisy import BadNoisyDescent, descend
from services.cli.benchmarks import app
from services.core.bundle import readings
from services.core.bundle.directory import Bundle
from services.core.seeds import derive_seeds
from tests.certified import SECRET, SEEDS, STEPS, certified_recipe_of, short_definition, short_order

NAMES = ["certified-digits", "certified-digits-batches", "certified-digits-d2d", "certified-digits-ten"]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    place = tmp_path_factory.mktemp("certified")
    return {name: build_benchmark(short_order(name), place / name) for name in NAMES}


@pytest.fixture(params=NAMES)
def bundle(request: pytest.FixtureRequest, bundles: dict[str, Bundle]) -> Bundle:
    return bundles[request.param]


def originals_of(bundle: Bundle) -> np.ndarray:
    """The weights [seeds, rows, d] from which runs start."""
    return bundle.arrays("hidden/originals.safetensors")["head.weight"]


def public_original(bundle: Bundle) -> np.ndarray:
    return bundle.arrays("public/original.safetensors")["head.weight"]


def relearned(bundle: Bundle, seeds: list[int], *, parts: tuple[str, ...], published_sigma: float) -> np.ndarray:
    """Learn models here again, from the bundle's public files alone."""
    files = [bundle.arrays(f"public/{part}.safetensors") for part in parts]
    images, labels = (np.concatenate([file[name] for file in files]) for name in ("image", "label"))
    recipe = replace(certified_recipe_of(short_definition(bundle.manifest.name)), published_sigma=published_sigma)
    start = {"head.weight": torch.zeros(len(seeds), *public_original(bundle).shape)}
    return descend(start, examples=Examples(images, labels), seeds=seeds, recipe=recipe)["head.weight"].numpy()


def test_the_bundle_is_whole_and_says_how_it_learned(bundle: Bundle) -> None:
    bundle.verify()
    manifest = bundle.manifest
    recipe = certified_recipe_of(short_definition(manifest.name))
    assert manifest.learning is not None
    for field, value in manifest.learning.model_dump().items():
        assert getattr(recipe, field) == value, field
    assert manifest.recipe["step"] == recipe.step
    assert (manifest.learning.steps, manifest.oracle_seeds, len(bundle.oracle())) == (STEPS, SEEDS, SEEDS)
    assert (manifest.architecture, manifest.oracle_replaced) == ("unit_logistic", 0)
    assert manifest.counts.forget == 16
    assert manifest.counts.retain + manifest.counts.forget == 256
    rows = 10 if manifest.name.endswith("ten") else 1
    assert [(spec.name, spec.shape) for spec in manifest.checkpoint] == [("head.weight", (rows, 64))]
    assert bundle.has_originals


def test_every_seed_has_an_original_of_its_own(bundle: Bundle) -> None:
    """And none starts from the public one. Without noise, learning knows one outcome, whatever the seed."""
    own = [row.tobytes() for row in originals_of(bundle)]
    assert len(own) == SEEDS
    if bundle.manifest.name.endswith("d2d"):
        assert {*own, public_original(bundle).tobytes()} == {own[0]}
    else:
        assert len({*own, public_original(bundle).tobytes()}) == SEEDS + 1


def test_inspecting_tells_the_constants_that_entries_need(bundle: Bundle) -> None:
    shown = CliRunner().invoke(app, ["inspect", str(bundle.root)])
    assert shown.exit_code == 0
    (line,) = (line.strip() for line in shown.stdout.splitlines() if line.strip().startswith("learning"))
    m_and_l = "m 0.02, L 0.27, M 1"
    assert (
        line.split("learning")[1].strip()
        == {
            "certified-digits": f"520 steps of 1/L; {m_and_l}, sigma 0.02, radius 100",
            "certified-digits-batches": f"520 steps of 1/L, 8 batches in turn; {m_and_l}, sigma 0.02, radius 100",
            "certified-digits-d2d": f"520 steps of 1/L; {m_and_l}, sigma 0.05 on the published model, radius 100",
            "certified-digits-ten": "520 steps of 1/L; m 0.02, L 0.52, M 1.4142136, sigma 0.01, radius 100",
        }[bundle.manifest.name]
    )


def test_the_original_of_a_seed_is_its_place_in_the_stack(bundle: Bundle) -> None:
    stacked, shape = originals_of(bundle), public_original(bundle).shape
    for seed in range(SEEDS):
        loaded = load(bundle.original_of(seed))
        assert list(loaded) == ["head.weight"]
        assert loaded["head.weight"].dtype == np.float32
        assert loaded["head.weight"].shape == shape
        np.testing.assert_array_equal(loaded["head.weight"], stacked[seed])
    with pytest.raises(IndexError):
        bundle.original_of(SEEDS)


def test_originals_are_learned_from_everything_without_what_is_published(bundle: Bundle) -> None:
    """Learned here again, from seeds that derive from the secret. Noise on what is published comes later, if at all."""
    seeds = derive_seeds(SECRET, "originals", SEEDS + 1)
    everything = relearned(bundle, seeds, parts=("retain", "forget"), published_sigma=0.0)
    np.testing.assert_allclose(originals_of(bundle), everything[:-1], atol=1e-5)
    np.testing.assert_allclose(public_original(bundle), everything[-1], atol=1e-5)


def test_the_oracle_is_learned_from_the_retain_set_and_published(bundle: Bundle) -> None:
    recipe = certified_recipe_of(short_definition(bundle.manifest.name))
    seeds = derive_seeds(SECRET, "oracle", SEEDS)
    models = relearned(bundle, seeds, parts=("retain",), published_sigma=recipe.published_sigma)
    sketches = [readings.weight_sketch({"head.weight": model}) for model in models]
    np.testing.assert_allclose(bundle.oracle().weight_sketch, sketches, rtol=1e-3, atol=1e-3)
    assert len(np.unique(bundle.oracle().checkpoint_sha256, axis=0)) == SEEDS
    if recipe.published_sigma:
        silent = relearned(bundle, seeds[:1], parts=("retain",), published_sigma=0.0)
        assert (models - silent).std() == pytest.approx(recipe.published_sigma, rel=0.2)


def test_the_originals_are_measured_in_order(bundle: Bundle) -> None:
    found = bundle.measurements_of("original")
    assert found is not None
    assert len(found) == SEEDS
    forget = torch.from_numpy(bundle.arrays("public/forget.safetensors")["image"])
    model = Architecture("unit_logistic", (64,), bundle.manifest.classes)()
    for seed, weights in enumerate(originals_of(bundle)):
        assert found.checkpoint_sha256[seed].tobytes().hex() == readings.checkpoint_sha256({"head.weight": weights})
        model.load_state_dict({"head.weight": torch.from_numpy(weights)})
        with torch.no_grad():
            np.testing.assert_allclose(found.forget_logits[seed], model(forget).numpy(), atol=1e-4)


def test_fitness_is_that_of_doing_nothing(bundle: Bundle) -> None:
    """F of the originals as they are, beside F of the second oracle: the reference algorithm does nothing."""
    fitness, labels = bundle.manifest.fitness, bundle.forget_labels()
    original, second = bundle.measurements_of("original"), bundle.measurements_of("second_oracle")
    assert original is not None
    assert second is not None
    quality, oracle = short_order(bundle.manifest.name).quality, bundle.oracle().forget_logits
    assert fitness.original_quality == quality(original.forget_logits, oracle, labels)
    assert fitness.placebo_qualities == (quality(second.forget_logits, oracle, labels),)
    accuracy = (original.forget_logits.argmax(axis=2) == labels).mean()
    assert fitness.original_forget_accuracy == pytest.approx(accuracy)


def test_the_same_secret_gives_the_same_digest_and_another_one_does_not(
    bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    name = "certified-digits"
    again, other = (
        build_benchmark(short_order(name, secret=secret), tmp_path / secret[:1].decode())
        for secret in (SECRET, b"t" * 32)
    )
    assert again.manifest.digest == bundles[name].manifest.digest != other.manifest.digest
    both = np.concatenate([originals_of(again), originals_of(other)])
    assert len(np.unique(both.reshape(2 * SEEDS, -1), axis=0)) == 2 * SEEDS


class Stopped(Exception):
    pass


def test_a_build_goes_on_where_it_was_stopped(bundles: dict[str, Bundle], tmp_path: Path) -> None:
    """Stopped after the originals: they are not learned again, and the bundle is the same."""
    order = short_order("certified-digits")

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "original models" and done == total:
            raise Stopped

    with pytest.raises(Stopped):
        build_benchmark(order, tmp_path / "stopped", progress=stop)
    (kept,) = tmp_path.rglob("*.models")
    written, again = kept.stat().st_mtime_ns, []
    bundle = build_benchmark(order, tmp_path / "stopped", progress=lambda *_: again.append(kept.stat().st_mtime_ns))
    assert set(again) == {written}
    assert bundle.manifest.digest == bundles["certified-digits"].manifest.digest


def test_batches_that_are_not_equal_build_nothing(tmp_path: Path) -> None:
    definition = short_definition("certified-digits-batches", batches=7, steps=63)
    with pytest.raises(BadNoisyDescent, match="7 batches"):
        build_benchmark(short_order("certified-digits-batches", definition=definition), tmp_path / "odd")
    assert not (tmp_path / "odd").exists()


@pytest.mark.parametrize("name", [name for name in DEFINITIONS if name.startswith("certified")])
def test_definitions_hold_the_constants_that_their_certificates_assume(name: str) -> None:
    """On features of unit norm: L = 1/4 + m and M = 1, and with more than two classes 1/2 + m and sqrt(2)."""
    definition = DEFINITIONS[name]
    recipe = certified_recipe_of(definition)
    classes = len(definition.only) or 10
    curvature, longest = (0.25, 1.0) if classes == 2 else (0.5, 2**0.5)
    assert recipe.smoothness == pytest.approx(curvature + recipe.strong_convexity)
    assert recipe.lipschitz == pytest.approx(longest)
    assert recipe.steps % recipe.batches == 0
    assert recipe.steps >= 20 * recipe.smoothness / recipe.strong_convexity  # a start is forgotten up to e^-20
    assert bool(recipe.sigma) != bool(recipe.published_sigma)


# Datasets of some classes


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """Draw a dataset whose examples all say where they stood."""
    labels = np.array(draw(st.lists(st.integers(0, 4), min_size=1, max_size=30)), dtype=np.int64)
    place = np.arange(len(labels))
    role = np.array(draw(st.lists(st.integers(0, 3), min_size=len(labels), max_size=len(labels))), dtype=np.int64)
    train = np.flatnonzero(role <= 1)
    return Dataset(
        name="numbers",
        licence="CC0-1.0",
        images=place[:, None].astype(np.float32),
        labels=labels,
        classes=5,
        class_names=draw(st.sampled_from([(), ("a", "b", "c", "d", "e")])),
        superclasses=draw(st.sampled_from([None, labels // 2])),
        subjects=draw(st.sampled_from([None, 100 + place])),
        paths=draw(st.sampled_from([(), tuple(f"{number}.png" for number in place)])),
        parts=draw(
            st.sampled_from(
                [
                    None,
                    Parts(train, np.flatnonzero(role == 2)),
                    Parts(train, np.flatnonzero(role == 2), np.flatnonzero(role == 3), np.flatnonzero(role == 1)),
                ]
            )
        ),
    )


@settings(deadline=None)
@given(datasets(), st.permutations(range(5)), st.integers(1, 5))
def test_some_classes_of_a_dataset_keep_all_that_is_known_of_them(
    dataset: Dataset, order: list[int], count: int
) -> None:
    classes = order[:count]
    found = dataset.only(classes)
    stood = found.images[:, 0].astype(int)  # an image is its former position

    assert stood.tolist() == [place for place, label in enumerate(dataset.labels) if label in classes]
    assert [classes[label] for label in found.labels] == dataset.labels[stood].tolist()
    assert found.classes == count
    assert found.class_names == tuple("abcde"[one] if dataset.class_names else str(one) for one in classes)
    for name in ("superclasses", "subjects"):
        before, after = getattr(dataset, name), getattr(found, name)
        assert (after is None) == (before is None)
        assert before is None or after.tolist() == before[stood].tolist()
    assert found.paths == (tuple(f"{place}.png" for place in stood) if dataset.paths else ())
    assert (found.parts is None) == (dataset.parts is None)
    for part in ("train", "test", "validation", "forget"):
        old, new = getattr(dataset.parts, part, None), getattr(found.parts, part, None)
        assert (old is None) == (new is None)
        if old is not None and new is not None:
            assert stood[new].tolist() == [place for place in old if dataset.labels[place] in classes]


def test_digits_of_two_classes_are_those_two() -> None:
    dataset = DEFINITIONS["certified-digits"].read(None, cache=Path())
    assert (dataset.classes, dataset.class_names, len(dataset.labels)) == (2, ("3", "8"), 357)
    assert dataset.name.endswith(": only 3 and 8")
    assert np.bincount(dataset.labels).tolist() == [183, 174]  # as scikit-learn's documentation counts them
