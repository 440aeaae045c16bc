"""Building a benchmark: split, original model, oracle, fitness, bundle. Nothing is left behind when it fails."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save

from services.benchmarks.datasets import split
from services.benchmarks.definitions import DEFINITIONS, Definition
from services.benchmarks.fitness import MIN_PLACEBO_RATIO, ForgettingQuality, check_fitness
from services.benchmarks.lockstep import Stacked, initialise, train
from services.benchmarks.oracle import Splits, derive_seeds, measure_models
from services.benchmarks.scenarios import Scenario, random_with_wrong_labels
from services.core.bundle import MANIFEST, Bundle, Counts, FileEntry, Fitness, Manifest, TensorSpec
from services.core.errors import Conflict, NotFound
from services.core.readings import PROBE_SIZE

__all__ = ["AlreadyBuilt", "UnknownBenchmark", "build_benchmark"]

Progress = Callable[[str, int, int], None]  # stage, done, total
SECRET_BYTES = 32
_DTYPES = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64"}


class UnknownBenchmark(NotFound):
    code = "unknown_benchmark"


class AlreadyBuilt(Conflict):
    code = "already_built"


def build_benchmark(
    name: str,
    destination: Path,
    *,
    seeds: int,
    secret: bytes | None,
    forgetting_quality: ForgettingQuality,
    progress: Progress = lambda *_: None,
    min_placebo_ratio: float = MIN_PLACEBO_RATIO,
) -> Bundle:
    """Build a benchmark by name, with an oracle of `seeds` models, into `destination`.

    The oracle's seeds derive from `secret` (random when None), which is forgotten: only its hash stays in the manifest.
    Raises UnknownBenchmark, AlreadyBuilt, or UnfitBenchmark.
    """
    if name not in DEFINITIONS:
        raise UnknownBenchmark(f"There is no benchmark {name}. Choose one of: {', '.join(sorted(DEFINITIONS))}.")
    if destination.exists():
        raise AlreadyBuilt(f"{destination} exists. Delete it to build anew, or choose another place with --out.")
    definition = DEFINITIONS[name]
    secret = secret or secrets.token_bytes(SECRET_BYTES)
    torch.set_num_threads(os.cpu_count() or 1)
    partial = destination.with_name(f"{destination.name}.partial-{os.getpid()}")
    try:
        _build(definition, partial, seeds, secret, forgetting_quality, progress, min_placebo_ratio)
        destination.parent.mkdir(parents=True, exist_ok=True)
        partial.rename(destination)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Bundle(destination)


def _build(  # noqa: PLR0917 - the public function's arguments, in its order
    definition: Definition,
    root: Path,
    seeds: int,
    secret: bytes,
    forgetting_quality: ForgettingQuality,
    progress: Progress,
    min_placebo_ratio: float,
) -> None:
    scenario, splits = _split(definition)
    everything = {part: np.concatenate([splits["retain"][part], splits["forget"][part]]) for part in ("image", "label")}
    original = _train(definition, everything, [definition.original_seed], "original model", progress)
    oracle_models = _train(definition, splits["retain"], derive_seeds(secret, "oracle", seeds), "oracle", progress)
    second = _train(definition, splits["retain"], derive_seeds(secret, "second", seeds), "second oracle", progress)
    probe = np.arange(len(splits["retain"]["label"]))[:PROBE_SIZE]
    progress("measuring and fitness", 0, 1)
    oracle = measure_models(definition.build, oracle_models, splits, probe)
    fitness = check_fitness(
        definition.build,
        splits,
        original,
        oracle=oracle,
        second_oracle=second,
        secret=secret,
        forgetting_quality=forgetting_quality,
        min_placebo_ratio=min_placebo_ratio,
    )
    progress("measuring and fitness", 1, 1)
    _write_files(root, definition, splits, original=original, probe=probe, oracle=oracle.to_bytes())
    manifest = _manifest(
        definition, root, scenario, splits, original=original, fitness=fitness, seeds=seeds, secret=secret
    )
    (root / MANIFEST).write_bytes(manifest.to_bytes())


def _split(definition: Definition) -> tuple[Scenario, Splits]:
    """Cut the dataset; retain and forget carry the labels as trained."""
    dataset = definition.dataset()
    generator = definition.generator()
    parts = split(len(dataset.labels), train=definition.train, validation=definition.validation, generator=generator)
    scenario = random_with_wrong_labels(
        dataset.labels[parts.train],
        classes=dataset.classes,
        forget=definition.forget,
        wrong=definition.wrong,
        generator=generator,
    )

    def take(indexes: NDArray[np.int64], labels: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        return {"image": dataset.images[indexes], "label": labels}

    return scenario, {
        "retain": take(parts.train[scenario.retain], scenario.labels[scenario.retain]),
        "forget": take(parts.train[scenario.forget], scenario.labels[scenario.forget]),
        "validation": take(parts.validation, dataset.labels[parts.validation]),
        "test": take(parts.test, dataset.labels[parts.test]),
    }


def _train(
    definition: Definition, examples: dict[str, NDArray[Any]], seeds: list[int], stage: str, progress: Progress
) -> Stacked:
    progress(stage, 0, len(seeds))
    return train(
        definition.build,
        initialise(definition.build, seeds),
        images=torch.from_numpy(examples["image"]),
        labels=torch.from_numpy(examples["label"]),
        seeds=seeds,
        recipe=definition.recipe,
        progress=lambda done: progress(stage, done, len(seeds)),
    )


def _write_files(
    root: Path,
    definition: Definition,
    splits: Splits,
    *,
    original: Stacked,
    probe: NDArray[np.int64],
    oracle: bytes,
) -> None:
    contents = {
        "public/architecture.py": definition.architecture_file.read_bytes(),
        "public/original.safetensors": save({name: value[0].numpy() for name, value in original.items()}),
        "hidden/test.safetensors": save(splits["test"]),
        "hidden/probe.safetensors": save({"index": probe}),
        "hidden/oracle.safetensors": oracle,
        **{f"public/{name}.safetensors": save(splits[name]) for name in ("retain", "forget", "validation")},
    }
    for relative, data in contents.items():
        path = root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _manifest(
    definition: Definition,
    root: Path,
    scenario: Scenario,
    splits: Splits,
    *,
    original: Stacked,
    fitness: Fitness,
    seeds: int,
    secret: bytes,
) -> Manifest:
    dataset = definition.dataset()
    return Manifest(
        name=definition.name,
        title=definition.title,
        dataset=dataset.name,
        licence=dataset.licence,
        scenario=scenario.description,
        classes=dataset.classes,
        input_shape=dataset.images.shape[1:],
        counts=Counts(**{name: len(values["label"]) for name, values in splits.items()}),
        architecture=definition.architecture,
        checkpoint=tuple(
            TensorSpec(name=name, dtype=_DTYPES[value.dtype], shape=tuple(value.shape[1:]))
            for name, value in sorted(original.items())
        ),
        recipe=definition.recipe.as_dict(),
        oracle_seeds=seeds,
        seed_commitment=hashlib.sha256(secret).hexdigest(),
        fitness=fitness,
        versions={package: version(package) for package in ("lethe", "torch", "numpy", "scikit-learn")},
        files={str(path.relative_to(root)): _entry(path) for path in sorted(root.rglob("*")) if path.is_file()},
    )


def _entry(path: Path) -> FileEntry:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(sha256=digest, size_bytes=path.stat().st_size)
