"""The digits benchmark, built small."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load
from sqlalchemy import select
from torch import nn
from typer.testing import CliRunner

from services.benchmarks.architecture import Architecture
from services.benchmarks.build import AlreadyBuilt, build_benchmark
from services.benchmarks.catalogue import DEFINITIONS, UnknownBenchmark, find_definition
from services.benchmarks.disk import Disk, NoRoom
from services.benchmarks.measuring import Trained
from services.benchmarks.oracle import DivergedOracle, find_diverged, train_without_diverged
from services.benchmarks.order import Order
from services.benchmarks.recipes import Recipe
from services.benchmarks.scenarios import Random
from services.cli.main import app
from services.core.bundle import readings
from services.core.bundle import store as bundle_store
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import BadBundle, UnfitBenchmark
from services.core.bundle.measurements import Measurements
from services.core.models import BenchmarkRow
from services.core.seeds import derive_seed, derive_seeds
from services.core.settings import Settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database
from services.scorer.report.fitness import render_fitness
from services.scorer.scoring import forgetting_quality_of, gather
from tests.definitions import placebo_of, recipe_of

SECRET = b"s" * 32
SEEDS = 8
DIGITS = DEFINITIONS["digits"]
DATASET = DIGITS.read(None, cache=Path())
SHORT = replace(  # for what does not depend on how well models learn
    DIGITS, recipe=replace(recipe_of(DIGITS), epochs=3), placebo=replace(placebo_of(DIGITS), starts=1)
)
PARTS = ("retain", "forget", "validation", "test")


def order(**changes: Any) -> Order:
    plain = Order(
        definition=DIGITS,
        dataset=DATASET,
        seeds=SEEDS,
        quality=forgetting_quality_of,
        secret=SECRET,
        min_placebo_ratio=0.0,  # with so few models F is too coarse to tell
    )
    return replace(plain, **changes)


def file_of(bundle: Bundle, part: str) -> dict[str, np.ndarray]:
    return bundle.arrays(f"{'hidden' if part == 'test' else 'public'}/{part}.safetensors")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return build_benchmark(order(), tmp_path_factory.mktemp("digits") / "digits")


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return build_benchmark(order(definition=SHORT), tmp_path_factory.mktemp("short") / "digits")


def test_bundle_is_whole_and_says_what_it_is(bundle: Bundle) -> None:
    bundle.verify()
    manifest = bundle.manifest
    assert manifest.counts.model_dump() == {"retain": 1140, "forget": 60, "validation": 197, "test": 400}
    assert (manifest.oracle_seeds, len(bundle.oracle())) == (SEEDS, SEEDS)
    assert manifest.fitness.original_forget_accuracy >= 0.9
    assert manifest.fitness.oracle_test_accuracy > 0.9
    assert manifest.fitness.problems == ()
    assert manifest.scenario == "60 of 1200 training examples at random, 12 of them with a wrong label"
    assert (manifest.name, manifest.title, manifest.split) == ("digits", "Handwritten digits", "drawn at random")
    assert manifest.origin is not None
    assert manifest.origin.model_dump() == {
        "definition": "digits",
        "scenario": None,
        "drawn_for": None,
        "original_draw": 0,
    }
    assert [(spec.name, spec.shape) for spec in manifest.checkpoint] == [
        ("head.bias", (10,)),
        ("head.weight", (10, 64)),
        ("hidden.bias", (64,)),
        ("hidden.weight", (64, 64)),
    ]


def test_fitness_agrees_with_what_the_bundle_holds(bundle: Bundle) -> None:
    """Each number computed here again from the hidden measurements."""
    fitness, labels, test = bundle.manifest.fitness, bundle.forget_labels(), bundle.test_labels()
    original, second = bundle.measurements_of("original"), bundle.measurements_of("second_oracle")
    assert original is not None
    assert second is not None
    found = (original.forget_logits[0].argmax(axis=1) == labels).mean()
    assert fitness.original_forget_accuracy == pytest.approx(found)
    assert fitness.oracle_test_accuracy == pytest.approx((bundle.oracle().test_class == test[None]).mean())
    counts = [int((test == label).sum()) for label in range(10)]
    assert fitness.majority_share == max(counts) / 400
    assert fitness.ceiling == forgetting_quality_of(second.forget_logits, bundle.oracle().forget_logits, labels)
    assert len(fitness.placebo_qualities) == 3
    assert fitness.original_quality is not None
    ratio = sum(fitness.placebo_qualities) / 3 / fitness.original_quality
    assert fitness.placebo_ratio == pytest.approx(ratio)


def test_flipped_byte_is_caught(bundle: Bundle) -> None:
    path = bundle.root / "hidden/test.safetensors"
    intact = path.read_bytes()
    path.write_bytes(intact[:-1] + bytes([intact[-1] ^ 1]))
    with pytest.raises(BadBundle, match="hidden/test"):
        bundle.verify()
    path.write_bytes(intact)


def test_same_secret_gives_the_same_digest_and_another_one_does_not(tmp_path: Path) -> None:
    digests = [
        build_benchmark(order(definition=SHORT, secret=secret), tmp_path / str(number)).manifest.digest
        for number, secret in enumerate((SECRET, SECRET, b"t" * 32))
    ]
    assert digests[0] == digests[1] != digests[2]


def test_without_a_secret_a_new_one_is_drawn_and_forgotten(tmp_path: Path) -> None:
    first, second = (
        build_benchmark(order(definition=SHORT, secret=None), tmp_path / name).manifest for name in ("one", "two")
    )
    assert first.seed_commitment != second.seed_commitment
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_splits_share_no_image(bundle: Bundle) -> None:
    """Indexes are disjoint; the few images that scikit-learn's data hold twice do not count."""
    rows = np.concatenate([file_of(bundle, part)["image"] for part in PARTS])
    assert len(rows) == 1797
    assert len(np.unique(rows, axis=0)) == len(np.unique(DATASET.images, axis=0))


def trained_plainly(seed: int, parts: dict[str, np.ndarray], recipe: Recipe) -> nn.Module:
    """Train with torch's own optimizer, one model alone."""
    torch.manual_seed(seed)
    model = Architecture("mlp", (64,), 10)()
    images, labels = torch.from_numpy(parts["image"]), torch.from_numpy(parts["label"])
    optimizer = torch.optim.SGD(model.parameters(), lr=recipe.learning_rate, momentum=recipe.momentum)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(recipe.epochs):
        for batch in torch.randperm(len(labels), generator=generator).split(recipe.batch_size):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
            optimizer.step()
    return model


def test_oracle_model_is_the_plain_recipe_on_the_retain_set_alone(short: Bundle) -> None:
    """Trained here again from the bundle's public files: forget images cannot have had a part in it."""
    for index in (0, 7):
        model = trained_plainly(derive_seed(SECRET, "oracle", index), file_of(short, "retain"), recipe_of(SHORT))
        sketch = readings.weight_sketch({name: value.numpy() for name, value in model.state_dict().items()})
        np.testing.assert_allclose(sketch, short.oracle().weight_sketch[index], rtol=1e-3, atol=1e-3)
        forget = torch.from_numpy(file_of(short, "forget")["image"])
        with torch.no_grad():
            logits = model(forget).numpy()
        np.testing.assert_allclose(short.oracle().forget_logits[index], logits, rtol=1e-2, atol=1e-2)


def assert_original(bundle: Bundle, seed: int, recipe: Recipe | None = None) -> None:
    """Train it here again, on retain and forget set."""
    recipe = recipe or recipe_of(SHORT)
    retain, forget = file_of(bundle, "retain"), file_of(bundle, "forget")
    everything = {name: np.concatenate([retain[name], forget[name]]) for name in retain}
    model = trained_plainly(seed, everything, recipe)
    for name, value in bundle.arrays("public/original.safetensors").items():
        np.testing.assert_allclose(model.state_dict()[name].numpy(), value, rtol=1e-3, atol=1e-3)


def test_original_model_is_the_plain_recipe_on_retain_and_forget_set(short: Bundle) -> None:
    assert_original(short, DIGITS.original_seed)


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
    np.testing.assert_array_equal(bundle.probe_labels(), file_of(bundle, "retain")["label"][:2000])
    assert bundle.forget_subjects() is None
    state = bundle.arrays("public/original.safetensors")
    assert original.checkpoint_sha256[0].tobytes().hex() == readings.checkpoint_sha256(state)


def test_forget_set_carries_the_wrong_labels_and_retain_none(bundle: Bundle) -> None:
    truth = {image.tobytes(): label for image, label in zip(DATASET.images, DATASET.labels, strict=True)}
    wrong = {}
    for part in PARTS:
        arrays = file_of(bundle, part)
        wrong[part] = sum(
            truth[image.tobytes()] != label for image, label in zip(arrays["image"], arrays["label"], strict=True)
        )
    assert wrong == {"retain": 0, "forget": 12, "validation": 0, "test": 0}


# Secrets that draw everything


class Qualities:
    """F as it is told, in the order in which it is asked for: the placebo, originals until one is fit, the rest."""

    def __init__(self, *values: float) -> None:
        self.values = list(values)

    def __call__(self, *_: object) -> float:
        return self.values.pop(0) if self.values else 1.0


@pytest.mark.parametrize(
    ("originals", "draw", "problems"),
    [((0.05,), 0, 0), ((0.3, 0.2, 0.05), 2, 0), ((0.3, 0.2, 0.15, *[0.3] * 7), 2, 1)],
    ids=["first", "third", "none"],
)
def test_a_drawn_benchmark_takes_the_first_fit_original_or_the_best(
    tmp_path: Path, originals: tuple[float, ...], draw: int, problems: int
) -> None:
    """Of ten at most, each from a seed of the secret's own; the manifest says which one it is."""
    easy = replace(SHORT, scenario=Random(60), recipe=replace(recipe_of(SHORT), epochs=8))
    drawn = order(
        definition=easy,
        drawn_for="final",
        name="digits-final",
        min_placebo_ratio=3.0,
        quality=Qualities(0.3, *originals),
    )
    bundle = build_benchmark(drawn, tmp_path / "final")
    manifest = bundle.manifest
    assert (manifest.name, manifest.title) == ("digits-final", "Handwritten digits (final)")
    assert manifest.origin is not None
    assert (manifest.origin.drawn_for, manifest.origin.original_draw) == ("final", draw)
    assert (manifest.fitness.original_quality, len(manifest.fitness.problems)) == (originals[draw], problems)
    assert manifest.fitness.placebo_ratio == pytest.approx(0.3 / originals[draw])
    assert_original(bundle, derive_seeds(SECRET, "final|original", 10)[draw], recipe_of(easy))


# Unfit benchmarks


def test_unfit_benchmark_is_built_but_says_why_and_is_not_published(tmp_path: Path, sqlite_url: str) -> None:
    bundle = build_benchmark(order(definition=SHORT, min_placebo_ratio=1e9), tmp_path / "digits")
    bundle.verify()
    assert len(bundle.manifest.fitness.problems) == 2
    learned, ratio = bundle.manifest.fitness.problems
    assert "has learned only" in learned
    assert "below 1e+09" in ratio
    settings = Settings(data_dir=tmp_path / "var")
    database, blobs = Database(sqlite_url), Blobs.from_settings(settings)
    with database.write() as session, pytest.raises(UnfitBenchmark, match="placebo ratio"):
        bundle_store.publish(session, blobs, bundle)
    with database.read() as session:
        assert session.scalars(select(BenchmarkRow)).all() == []
    database.dispose()


def test_useless_models_are_named_as_the_problem(tmp_path: Path) -> None:
    """Labels that nothing can be learned from: guessing does as well."""
    labels = np.random.default_rng(0).permutation(DATASET.labels)
    useless = order(definition=SHORT, dataset=replace(DATASET, labels=labels))
    problems = build_benchmark(useless, tmp_path / "digits").manifest.fitness.problems
    assert any("guessing the commonest class" in problem for problem in problems)


# Diverged models


def trained(seeds: list[int], *, accuracy: dict[int, float], infinite: set[int]) -> Trained:
    """Make measurements of models whose logits are their own seed."""
    count = len(seeds)
    arrays: dict[str, Any] = {name: np.zeros((count, 1)) for name in Measurements.__slots__}
    arrays["forget_logits"] = np.array(seeds, dtype=np.float32)[:, None, None]
    return Trained(
        Measurements(**arrays),
        np.array([seed not in infinite for seed in seeds]),
        np.array([accuracy.get(seed, 0.9) for seed in seeds]),
    )


def run_without(diverging: set[int], count: int) -> tuple[list[int], int]:
    models, replaced = train_without_diverged(
        lambda seeds: trained(list(seeds), accuracy=dict.fromkeys(diverging, 0.1), infinite=set()),
        seeds=range(count),
        spare=lambda number: count + number,
    )
    return models.measurements.forget_logits.ravel().astype(int).tolist(), replaced


def test_diverged_oracle_models_are_retrained_from_further_seeds() -> None:
    """Also a replacement that diverges in its turn."""
    assert run_without(set(), 200) == (list(range(200)), 0)
    assert run_without({7}, 200) == ([200 if seed == 7 else seed for seed in range(200)], 1)
    assert run_without({7, 200}, 200) == ([201 if seed == 7 else seed for seed in range(200)], 2)
    assert run_without({7, 9}, 200) == ([{7: 200, 9: 201}.get(seed, seed) for seed in range(200)], 2)


@pytest.mark.parametrize(("diverging", "count"), [({1, 2, 3}, 200), ({7, 200, 201}, 200), ({5}, 99)])
def test_more_than_one_percent_of_diverged_models_build_nothing(diverging: set[int], count: int) -> None:
    with pytest.raises(DivergedOracle, match="learning rate"):
        run_without(diverging, count)


def test_a_model_is_diverged_when_not_finite_or_below_half_the_median() -> None:
    accuracy = {1: 0.45, 2: 0.4499, 3: 0.0, 4: 0.5}
    assert find_diverged(trained(list(range(20)), accuracy=accuracy, infinite={11})) == [2, 3, 11]
    assert find_diverged(trained(list(range(20)), accuracy={}, infinite=set())) == []


def test_a_recipe_that_diverges_builds_nothing(tmp_path: Path) -> None:
    wild = replace(SHORT, recipe=replace(recipe_of(SHORT), learning_rate=1e20))
    with pytest.raises(DivergedOracle, match="8 of 8"):
        build_benchmark(order(definition=wild), tmp_path / "digits")
    assert not (tmp_path / "digits").exists()


# Places


def test_unknown_name_and_taken_place_say_what_to_do(bundle: Bundle) -> None:
    with pytest.raises(UnknownBenchmark, match="digits"):
        find_definition("nothing")
    with pytest.raises(AlreadyBuilt, match="--out"):
        build_benchmark(order(), bundle.root)


def test_a_build_takes_no_more_disk_than_was_announced(tmp_path: Path) -> None:
    announced: list[Disk] = []
    largest = 0

    def weigh(*_: object) -> None:
        nonlocal largest
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        largest = max(largest, sum(path.stat().st_size for path in files))

    bundle = build_benchmark(
        order(definition=SHORT, keep_checkpoints=True),
        tmp_path / "digits",
        announce=announced.append,
        progress=weigh,
    )
    (disk,) = announced
    weigh()
    archive = tmp_path / "digits.checkpoints.zip"
    size = sum(path.stat().st_size for path in bundle.root.rglob("*") if path.is_file())
    assert size <= disk.bundle <= 10 * size
    assert archive.stat().st_size <= disk.checkpoints
    assert largest <= disk.building
    assert bundle.manifest.disk is not None
    assert (bundle.manifest.disk.building_bytes, bundle.manifest.disk.bundle_bytes) == (disk.building, disk.bundle)


def test_a_full_disk_is_refused_before_anything_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    seen: list[object] = []
    with pytest.raises(NoRoom, match=r"0\.0 GB free.*--out"):
        build_benchmark(order(definition=SHORT), tmp_path / "digits", progress=lambda *done: seen.append(done))
    assert seen == []
    assert not (tmp_path / "digits").exists()


def test_images_of_bytes_are_stored_as_bytes(tmp_path: Path) -> None:
    """With what makes inputs of them; the model sees mean 0."""
    images = np.random.default_rng(0).integers(0, 256, (300, 1, 4, 4), dtype=np.uint8)
    labels = (images[:, 0].mean(axis=(1, 2)) > 127).astype(np.int64)
    dataset = replace(DATASET, images=images, labels=labels, classes=2, subjects=np.arange(300) % 30)
    definition = replace(SHORT, architecture="logistic", standardise=True)
    bundle = build_benchmark(order(definition=definition, dataset=dataset), tmp_path / "bytes")
    retain = file_of(bundle, "retain")
    assert {name: value.dtype for name, value in retain.items()} == {
        "image": np.uint8,
        "label": np.int64,
        "subject": np.int64,
        "scale": np.float32,
        "shift": np.float32,
    }
    train = np.concatenate([retain["image"], file_of(bundle, "forget")["image"]])
    assert abs((train * retain["scale"] + retain["shift"]).mean()) < 1e-4
    assert bundle.forget_subjects() is not None


def test_what_is_noticed_in_the_data_is_told_before_training_and_stays_hidden_with_the_benchmark(
    tmp_path: Path,
) -> None:
    images = DATASET.images.copy()
    images[:] = images[0]
    seen: list[str] = []
    built = build_benchmark(
        order(definition=SHORT, dataset=replace(DATASET, images=images)),
        tmp_path / "digits",
        remark=seen.append,
        progress=lambda *_: seen.append("training") if seen[-1] != "training" else None,
    )

    assert [text.partition(" whose")[0] for text in seen] == [
        *(f"Images of the {second} set" for second in ("forget", "validation", "test", "validation", "test", "test")),
        "training",
    ]
    assert "60, such as number " in seen[0]
    assert built.remarks() == tuple(seen[:6])
    assert built.manifest.files.keys() >= {"hidden/remarks.json"}
    built.verify()
    assert seen[0] in render_fitness(built)

    shown = CliRunner().invoke(app, ["benchmark", "inspect", str(built.root)])
    assert f"note: {seen[0]}" in shown.output


def test_tidy_data_leave_no_remarks(bundle: Bundle) -> None:
    assert bundle.remarks() == ()
    assert "hidden/remarks.json" not in bundle.manifest.files


def test_runs_are_spread_over_several_originals_that_were_learned_independently(tmp_path: Path) -> None:
    one, three = (build_benchmark(order(definition=SHORT, originals=count), tmp_path / str(count)) for count in (1, 3))
    stacked, measured = three.arrays("hidden/originals.safetensors"), three.measurements_of("original")

    assert measured is not None
    assert (one.has_originals, three.has_originals) == (False, True)
    assert len(measured) == len(stacked["head.weight"]) == 3
    assert len(np.unique(stacked["head.weight"].reshape(3, -1), axis=0)) == 3
    public = one.arrays("public/original.safetensors")["head.weight"]
    np.testing.assert_array_equal(three.arrays("public/original.safetensors")["head.weight"], public)
    np.testing.assert_array_equal(stacked["head.weight"][0], public)
    starts = [load(three.original_of(seed))["head.weight"] for seed in range(SEEDS)]
    for seed, start in enumerate(starts):
        np.testing.assert_array_equal(start, stacked["head.weight"][seed % 3])

    placebos, known = three.arrays("hidden/placebos.safetensors"), three.measurements_of("placebo")
    assert known is not None and one.measurements_of("placebo") is None
    assert (one.manifest.placebos, three.manifest.placebos) == (0, 3) == (0, len(known))
    for place, seed in enumerate(derive_seeds(SECRET, "placebo start", 3)):
        model = trained_plainly(seed, file_of(three, "retain"), recipe_of(SHORT))  # on the retain set alone
        for name, value in model.state_dict().items():
            np.testing.assert_allclose(value.numpy(), placebos[name][place], rtol=1e-3, atol=1e-3)
    for seed in range(4):
        np.testing.assert_array_equal(load(three.placebo_of(seed))["head.weight"], placebos["head.weight"][seed % 3])
    trained = {row.tobytes() for row in np.concatenate([known.checkpoint_sha256, three.oracle().checkpoint_sha256])}
    assert len(trained) == 3 + SEEDS  # no placebo is a model of the oracle

    evidence = gather(three.oracle(), three)
    assert evidence.starts is not None
    assert evidence.starts.tolist() == [seed % 3 for seed in range(SEEDS)]
    assert gather(one.oracle(), one).starts is None
