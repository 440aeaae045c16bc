"""Building a benchmark: split, original model, oracle, fitness, bundle.

A build goes on where it was killed: its secret and every chunk of models that was finished lie beside the destination
until the bundle is whole. Nothing is left behind by a build that ends, well or with an error of its own.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save

from services.benchmarks.datasets import split
from services.benchmarks.definitions import DEFINITIONS, Definition
from services.benchmarks.farm import Interrupted, Job, train_from_scratch
from services.benchmarks.fitness import MIN_PLACEBO_RATIO, ForgettingQuality, check_fitness
from services.benchmarks.lockstep import Stacked, initialise
from services.benchmarks.oracle import (
    Splits,
    derive_seed,
    derive_seeds,
    find_diverged,
    measure_models,
    train_without_diverged,
)
from services.benchmarks.resuming import only_build, secret_of
from services.benchmarks.scenarios import Scenario, random_with_wrong_labels
from services.core.bundle import MANIFEST, Bundle, Counts, FileEntry, Fitness, Manifest, TensorSpec
from services.core.errors import Conflict, NotFound
from services.core.measurements import Measurements
from services.core.readings import PROBE_SIZE

__all__ = ["AlreadyBuilt", "UnknownBenchmark", "build_benchmark", "cut"]

Progress = Callable[[str, int, int], None]  # stage, done, total
UNTRAINED_MODELS = 8
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
    Raises UnknownBenchmark, AlreadyBuilt, BuildRunning, UnfitBenchmark, or DivergedOracle.
    """
    if name not in DEFINITIONS:
        raise UnknownBenchmark(f"There is no benchmark {name}. Choose one of: {', '.join(sorted(DEFINITIONS))}.")
    if destination.exists():
        raise AlreadyBuilt(f"{destination} exists. Delete it to build anew, or choose another place with --out.")
    definition = DEFINITIONS[name]
    torch.set_num_threads(os.cpu_count() or 1)
    with only_build(destination) as work:
        secret = secret_of(work, secret)
        bundle = work / "bundle"
        shutil.rmtree(bundle, ignore_errors=True)
        try:
            _build(definition, bundle, seeds, secret, forgetting_quality, progress, min_placebo_ratio)
            bundle.rename(destination)
        except Interrupted:
            raise  # what was finished is of use to the next build
        except Exception:
            shutil.rmtree(work, ignore_errors=True)
            raise
        shutil.rmtree(work, ignore_errors=True)
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
    scenario, splits = cut(definition)
    store = root.parent / "models"
    everything = {part: np.concatenate([splits["retain"][part], splits["forget"][part]]) for part in ("image", "label")}
    original = _train(definition, everything, [definition.original_seed], store, "original model", progress)
    oracle_models, replaced = _retrain(definition, splits, secret, seeds, store, "oracle", progress)
    second, replaced_second = _retrain(definition, splits, secret, seeds, store, "second oracle", progress)
    untrained = initialise(definition.build, derive_seeds(secret, "untrained", UNTRAINED_MODELS))
    probe = np.arange(len(splits["retain"]["label"]))[:PROBE_SIZE]
    progress("measuring and fitness", 0, 1)
    measured = {
        name: measure_models(definition.build, models, splits, probe)
        for name, models in (
            ("oracle", oracle_models),
            ("second_oracle", second),
            ("original", original),
            ("untrained", untrained),
        )
    }
    fitness = check_fitness(
        definition.build,
        splits,
        original,
        oracle=measured["oracle"],
        second_oracle=second,
        secret=secret,
        forgetting_quality=forgetting_quality,
        min_placebo_ratio=min_placebo_ratio,
    )
    progress("measuring and fitness", 1, 1)
    _write_files(root, definition, splits, original=original, probe=probe, measured=measured)
    manifest = _manifest(
        definition, root, scenario, splits, original=original, fitness=fitness, seeds=seeds, secret=secret
    ).model_copy(update={"oracle_replaced": replaced + replaced_second})
    (root / MANIFEST).write_bytes(manifest.to_bytes())


def cut(definition: Definition) -> tuple[Scenario, Splits]:
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


def _train(  # noqa: PLR0917
    definition: Definition,
    examples: dict[str, NDArray[Any]],
    seeds: Sequence[int],
    store: Path,
    stage: str,
    progress: Progress,
) -> Stacked:
    return train_from_scratch(
        Job(definition.build, examples["image"], examples["label"], definition.recipe),
        seeds,
        store=store,
        progress=lambda done: progress(stage, done, len(seeds)),
    )


def _retrain(  # noqa: PLR0917
    definition: Definition,
    splits: Splits,
    secret: bytes,
    count: int,
    store: Path,
    stage: str,
    progress: Progress,
) -> tuple[Stacked, int]:
    """Retrain an oracle on the retain set, none of it diverged; its stage is also what its seeds derive from."""
    return train_without_diverged(
        lambda seeds: _train(definition, splits["retain"], seeds, store, stage, progress),
        lambda models: find_diverged(definition.build, models, splits["retain"]),
        seeds=derive_seeds(secret, stage, count),
        spare=lambda number: derive_seed(secret, stage, count + number),
    )


def _write_files(
    root: Path,
    definition: Definition,
    splits: Splits,
    *,
    original: Stacked,
    probe: NDArray[np.int64],
    measured: dict[str, Measurements],
) -> None:
    contents = {
        "public/architecture.py": definition.architecture_file.read_bytes(),
        "public/original.safetensors": save({name: value[0].numpy() for name, value in original.items()}),
        "hidden/test.safetensors": save(splits["test"]),
        "hidden/probe.safetensors": save({"index": probe}),
        **{f"hidden/{name}.safetensors": measurements.to_bytes() for name, measurements in measured.items()},
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
