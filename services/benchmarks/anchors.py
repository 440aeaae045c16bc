"""Anchors of the robustness stage: the oracle's first models and the originals, under the stress that entries get."""

import hashlib
import json
import resource
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save
from safetensors.torch import load_file as load_models
from safetensors.torch import save_file as save_models

from services.benchmarks.architecture import Architecture
from services.benchmarks.examples import Examples, Splits
from services.benchmarks.farm import models_beside
from services.benchmarks.measuring import Trained
from services.benchmarks.oracle import find_diverged
from services.benchmarks.starts import Start
from services.benchmarks.stressing import Labelled, Stress, StressRecipe, evenly
from services.benchmarks.training.models import Stacked, one_of
from services.benchmarks.workshop import ANCHORS, ORACLE, Workshop
from services.core.bundle.directory import start_of
from services.core.bundle.manifest import Robustness
from services.core.bundle.stress import RELEARNED_SEEDS, StressReadings
from services.core.seeds import derive_seed

__all__ = ["Anchors", "measure_anchors"]

STAGE = "anchors of the robustness stage"
KIBIBYTE = 1024

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Anchors:
    """What the robustness stage needs beside a benchmark's other files."""

    seed: int
    controls: NDArray[np.int64]
    oracle: StressReadings
    original: StressReadings
    described: Robustness


@dataclass(frozen=True, slots=True)
class _Task:
    """One model to put under stress, and the original that its distance is taken from: each a place in a file."""

    models: Path
    place: int
    originals: Path
    start: int
    relearn: bool
    seed: int
    recipe: StressRecipe
    poison: Path | None


def measure_anchors(shop: Workshop, start: Start) -> Anchors:
    """Put the oracle's first models and the originals under stress, on all cores. What is done already is kept."""
    order, store, splits = shop.order, shop.farm.store, shop.cut.splits
    recipe = order.definition.stress
    seed = derive_seed(shop.secret, order.purpose("stress"), 0)
    originals, poison = store / "originals.anchors", None
    save_models({name: value.contiguous() for name, value in _originals(start).items()}, originals)
    if shop.cut.poison is not None:
        poison = store / "poison.anchors"
        poison.write_bytes(save(shop.cut.poison.arrays()))
    count = len(start.measured.measurements)
    models = _well_trained(shop)
    own = _Task(originals, 0, originals, 0, relearn=True, seed=seed, recipe=recipe, poison=poison)
    tasks = [
        replace(own, models=file, place=place, start=start_of(number, count), relearn=number < RELEARNED_SEEDS)
        for number, (file, place) in enumerate(models)
    ]
    tasks += [replace(own, place=place, start=place) for place in range(min(count, RELEARNED_SEEDS))]
    named = [(task, store / f"{_name(shop, task)}.stress") for task in tasks]
    shop.farm.compute(put_under_stress, named, lambda done: shop.progress(STAGE, done, len(named)))
    return _gathered([load_file(file) for _, file in named], len(models), recipe, seed, splits)


def put_under_stress(build: Architecture, splits: Splits, task: _Task) -> Arrays:
    """Read one model under stress, as a worker's measurer does; also tell how much memory this process took."""
    poison = None if task.poison is None else _labelled(Examples.of_arrays(load_file(task.poison)))
    stage = Stress(
        build(),
        task.recipe,
        task.seed,
        forget=_labelled(splits.forget),
        controls=_labelled(splits.test).take(controls_of(splits)),
        retain=_labelled(splits.retain),
        poison=poison,
    )
    state, original = (
        one_of(load_models(file), place) for file, place in ((task.models, task.place), (task.originals, task.start))
    )
    found = stage.read(state, original, relearn=task.relearn)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE
    return found | {"memory_bytes": np.array([memory])}


def controls_of(splits: Splits) -> NDArray[np.int64]:
    """Choose the test examples that serve as controls."""
    return evenly(len(splits.test))


def _originals(start: Start) -> Stacked:
    return start.original if start.originals is None else start.originals


def _well_trained(shop: Workshop) -> list[tuple[Path, int]]:
    """Find the oracle's first models in their files, without diverged ones, which the build has replaced."""
    seeds = shop.seeds(ORACLE, shop.order.seeds)[:ANCHORS]
    files = shop.retrain(ORACLE, seeds)
    rows = [load_file(file) for file in files]
    places = [
        (models_beside(file), place)
        for file, row in zip(files, rows, strict=True)
        for place in range(len(row["finite"]))
    ]
    diverged = set(find_diverged(Trained.from_arrays(rows)))
    return [place for number, place in enumerate(places) if number not in diverged]


def _labelled(examples: Examples) -> Labelled:
    return Labelled(examples.inputs(slice(None)), torch.from_numpy(examples.labels))


def _name(shop: Workshop, task: _Task) -> str:
    """Name the result by everything that it depends on: the farm's files are named so, too."""
    described = asdict(task) | {"models": task.models.name, "originals": _sha256(task.originals), "poison": None}
    written = json.dumps(described, sort_keys=True, default=str) + shop.architecture.source()
    return hashlib.sha256(written.encode()).hexdigest()[:32]


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _gathered(rows: Sequence[Arrays], oracle: int, recipe: StressRecipe, seed: int, splits: Splits) -> Anchors:
    memory = max(int(row.pop("memory_bytes")[0]) for row in rows)
    seconds = np.stack([row.pop("seconds") for row in rows])
    relearned = ["relearned_readable" in row for row in rows]
    blobs = [save(row) for row in rows]
    described = Robustness(
        recipe=recipe.as_dict(),
        oracle=oracle,
        relearned=min(oracle, RELEARNED_SEEDS),
        poisoned=len(rows[0].get("poison_given", ())),
        reading_s=float(np.median(seconds[:, 0])),
        relearning_s=float(np.median(seconds[relearned, 1])),
        memory_bytes=memory,
    )
    return Anchors(
        seed,
        controls_of(splits),
        StressReadings.stack(blobs[:oracle], range(oracle)),
        StressReadings.stack(blobs[oracle:], range(len(blobs) - oracle)),
        described,
    )
