"""A benchmark small enough to be made in milliseconds, with a random original model and a random oracle."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from services.benchmarks.recipes import Recipe
from services.core.bundle import readings
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import MANIFEST, Counts, FileEntry, Fitness, Manifest, Robustness, TensorSpec
from services.core.bundle.measurements import Measurements
from services.core.bundle.stress import StressReadings
from services.core.queue.leases import MeasuredSeed
from services.core.store.blobs import Blobs

Model = dict[str, np.ndarray]

FEATURES, CLASSES = 4, 3
COUNTS = Counts(retain=40, forget=8, validation=6, test=12)
ARCHITECTURE = f"""
from torch import nn


def build():
    return nn.Linear({FEATURES}, {CLASSES})
"""


def make_tiny_bundle(
    root: Path,
    *,
    oracle_seeds: int = 64,
    robustness: bool = False,
    placebos: int = 0,
    called: str = "tiny",
    recipe: Recipe | None = None,
) -> Bundle:
    """Write a linear benchmark whose splits and models are drawn from a fixed generator.

    With `robustness` it also has the anchors of the robustness stage; with `placebos`, so many of them and as many
    originals. It may say by which recipe models were trained.
    """
    random = np.random.default_rng(0)
    (root / "public").mkdir(parents=True)
    (root / "hidden").mkdir()
    (root / "public/architecture.py").write_text(ARCHITECTURE)
    splits = {name: _split(random, count) for name, count in COUNTS.model_dump().items()}
    for name, split in splits.items():
        (root / ("hidden" if name == "test" else "public") / f"{name}.safetensors").write_bytes(save(split))
    probe = np.arange(COUNTS.retain)
    (root / "hidden/probe.safetensors").write_bytes(save({"index": probe}))
    original = _model(random)
    (root / "public/original.safetensors").write_bytes(save(original))
    retrained = [_model(random) for _ in range(oracle_seeds)]
    oracle = [_reading(model, splits, probe) for model in retrained]
    measured_rows = [("oracle", oracle), ("original", [_reading(original, splits, probe)])]
    if placebos:
        starts = {"original": [original, *(_model(random) for _ in range(placebos - 1))]}
        starts |= {"placebo": [_model(random) for _ in range(placebos)]}
        for name, models in starts.items():
            states = {part: np.stack([model[part] for model in models]) for part in original}
            (root / f"hidden/{name}s.safetensors").write_bytes(save(states))
        measured_rows[1:] = [
            (name, [_reading(one, splits, probe) for one in models]) for name, models in starts.items()
        ]
    for measured, rows in measured_rows:
        stacked = Measurements(**{name: np.stack([row[name] for row in rows]) for name in rows[0]})
        (root / f"hidden/{measured}.safetensors").write_bytes(stacked.to_bytes())
    described = _write_anchors(root, splits, original, retrained[:16]) if robustness else None
    manifest = _manifest(root, oracle_seeds).model_copy(
        update={"robustness": described, "name": called, "recipe": recipe.as_dict() if recipe else {}}
        | {"placebos": placebos, "originals": max(placebos, 1)}
    )
    (root / MANIFEST).write_bytes(manifest.to_bytes())
    return Bundle(root)


def make_unfit_bundle(root: Path) -> Bundle:
    """Write the same, which its build judged unfit."""
    described = make_tiny_bundle(root).manifest.model_dump()
    described["fitness"]["problems"] = ("The placebo ratio is 2.00, below 3.",)
    (root / MANIFEST).write_bytes(Manifest.model_validate(described).to_bytes())
    return Bundle(root)


def oracle_as_measured(bundle: Bundle, blobs: Blobs, seeds: Iterable[int], *, skip: int = 0) -> list[MeasuredSeed]:
    """Store models of the oracle, past the first `skip`, as a worker would that had measured them for these seeds."""
    oracle = bundle.oracle()
    found = []
    for seed in seeds:
        arrays = {name: np.ascontiguousarray(getattr(oracle, name)[skip + seed]) for name in Measurements.__slots__}
        digest = arrays["checkpoint_sha256"].tobytes().hex()
        found.append(MeasuredSeed(seed, blobs.put(save(arrays)), digest, 0.5 + seed, 10**9 + seed))
    return found


def _split(random: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    image = random.normal(size=(count, FEATURES)).astype(np.float32)
    return {"image": image, "label": random.integers(0, CLASSES, count)}


def _model(random: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        "bias": random.normal(size=CLASSES).astype(np.float32),
        "weight": random.normal(size=(CLASSES, FEATURES)).astype(np.float32),
    }


def _reading(
    model: dict[str, np.ndarray], splits: dict[str, dict[str, np.ndarray]], probe: np.ndarray
) -> dict[str, np.ndarray]:
    logits = {name: split["image"] @ model["weight"].T + model["bias"] for name, split in splits.items()}
    arrays = readings.reading(
        forget_logits=logits["forget"],
        retain_logits=logits["retain"],
        test_logits=logits["test"],
        retain_labels=splits["retain"]["label"],
        test_labels=splits["test"]["label"],
        probe=probe,
    )
    arrays["checkpoint_sha256"] = np.frombuffer(bytes.fromhex(readings.checkpoint_sha256(model)), dtype=np.uint8)
    arrays["weight_sketch"] = readings.weight_sketch(model)
    return arrays


def _write_anchors(root: Path, splits: dict[str, Model], original: Model, retrained: list[Model]) -> Robustness:
    from torch import from_numpy, nn

    from services.benchmarks.stressing import Labelled, Stress, StressRecipe

    recipe = StressRecipe(shift=0, steps=(2, 4), batch_size=8)
    forget, test, retain = (
        Labelled(from_numpy(splits[name]["image"]), from_numpy(splits[name]["label"]))
        for name in ("forget", "test", "retain")
    )
    stage = Stress(nn.Linear(FEATURES, CLASSES), recipe, 5, forget=forget, controls=test, retain=retain)
    drawn = {"seed": np.array([5]), "controls": np.arange(COUNTS.test)}
    (root / "hidden/stress.safetensors").write_bytes(save(drawn))
    for name, models in (("oracle", retrained), ("original", [original])):
        states = [{key: from_numpy(value) for key, value in model.items()} for model in [original, *models]]
        read = [stage.read(state, states[0], relearn=True) for state in states[1:]]
        blobs = [save({key: value for key, value in one.items() if key != "seconds"}) for one in read]
        stacked = StressReadings.stack(blobs, range(len(blobs)))
        (root / f"hidden/stress_{name}.safetensors").write_bytes(stacked.to_bytes())
    return Robustness(
        recipe=recipe.as_dict(), oracle=16, relearned=4, reading_s=0.5, relearning_s=2.0, memory_bytes=10**8
    )


def _manifest(root: Path, oracle_seeds: int) -> Manifest:
    files = {
        str(path.relative_to(root)): FileEntry(
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(), size_bytes=path.stat().st_size
        )
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
    return Manifest(
        name="tiny",
        title="Tiny",
        dataset="random numbers",
        licence="CC0-1.0",
        scenario="random",
        classes=CLASSES,
        input_shape=(FEATURES,),
        counts=COUNTS,
        architecture="linear",
        checkpoint=(
            TensorSpec(name="bias", dtype="F32", shape=(CLASSES,)),
            TensorSpec(name="weight", dtype="F32", shape=(CLASSES, FEATURES)),
        ),
        recipe={},
        oracle_seeds=oracle_seeds,
        seed_commitment="0" * 64,
        fitness=Fitness(
            ceiling=0.2,
            placebo_ratio=3.0,
            original_forget_accuracy=1.0,
            oracle_retain_accuracy=1.0,
            oracle_test_accuracy=1.0,
        ),
        versions={},
        files=files,
    )
