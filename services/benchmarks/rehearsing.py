"""Rehearses a build: its data and results at full size, a few steps of its training, and what the rest will take.

Every process of a build is started with all data. Each trains a few steps by the recipe, with a batch of the real size,
and measures models as the build does. The parent then holds the measurements of both oracles at full size (readings of
the rehearsed models, with noise), judges them, and writes a whole bundle. So memory and disk are those of a build. Time
is extrapolated: it assumes that every step takes as long as the timed ones, and that all cores stay this busy.
"""

import os
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file

from services.benchmarks.architecture import Architecture
from services.benchmarks.build import UNTRAINED_MODELS, architecture_of, plan_of
from services.benchmarks.cutting import Cut
from services.benchmarks.definitions import Progress
from services.benchmarks.disk import Disk, check_room
from services.benchmarks.examples import Examples, Splits
from services.benchmarks.farm import Farm, Job
from services.benchmarks.fitness import Placebos, fitness_of
from services.benchmarks.measuring import Trained, measure
from services.benchmarks.order import Order
from services.benchmarks.recipes import NoisyDescent, Recipe
from services.benchmarks.remarks import remarks_on
from services.benchmarks.training import chunk_size, initialise, train
from services.benchmarks.writing import Built, write_bundle
from services.core.errors import BadInput

__all__ = ["Rehearsal", "rehearse"]

SECRET = bytes(32)  # nothing of a rehearsal is kept
WARM_STEPS, TIMED_STEPS = 3, 24
STEPS, JUDGING = "training a few steps in every process", "judging and writing at full size"
NOISE = 0.05  # of the logits of made-up models, so that none equals another

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What was measured, and what follows for a whole build."""

    images: int
    counts: dict[str, int]  # images of each set
    device: str
    processes: int
    rehearsed: int  # models of which some steps were trained
    step_s: float  # of a model in one process, median over processes
    measure_s: float  # the same, of measuring a model
    core_share: float  # of a core, that a process got while it was timed; less than 1 if the machine had other work
    models: int  # that a build trains in full
    runs: int  # of the reference algorithm
    models_per_s: float  # of the oracle, by all processes together
    build_s: float
    parent_bytes: int  # peak resident memory
    process_bytes: int  # the same, of one training process; 0 if the parent trains
    disk: Disk  # as a build announces it
    bundle_bytes: int  # of the bundle that the rehearsal wrote
    judging_s: float  # seconds that judging and writing took

    @property
    def memory_bytes(self) -> int:
        """Peak resident memory of the parent and all processes; pages that they share count in each."""
        return self.parent_bytes + self.processes * self.process_bytes


def rehearse(order: Order, place: Path, *, progress: Progress = lambda *_: None) -> Rehearsal:
    """Rehearse a build in an empty directory. Raises NoRoom, and BadInput if learning is certified."""
    placebo, recipe = order.definition.placebo, order.definition.recipe
    if isinstance(recipe, NoisyDescent) or placebo is None:
        raise BadInput(f"{order.definition.name} is certified and has no dry run. Build it: that takes minutes.")
    whole = order.cut(SECRET)
    remarks = remarks_on(order.dataset, whole)
    architecture = architecture_of(order, whole)
    disk = plan_of(order, architecture, whole)
    check_room(disk, place)
    with Farm(architecture, whole.splits, place / "models") as farm:
        found = _timed(farm, recipe, place, progress)
    began = time.perf_counter()
    progress(JUDGING, 0, 1)
    bundle_bytes = _judge_and_write(place / "bundle", order, whole, architecture, found, remarks, disk)
    progress(JUDGING, 1, 1)
    judging_s = time.perf_counter() - began
    step_s, measure_s, core_share = (
        float(np.median([one[name] for one in found])) for name in ("step_s", "measure_s", "core_share")
    )
    retain, everything = len(whole.splits.retain), len(whole.splits.retain) + len(whole.splits.forget)
    model_s = _steps(retain, recipe) * step_s + measure_s
    original_s = _steps(everything, recipe) * step_s + measure_s
    originals = len(order.original_seeds(SECRET)) + order.originals - 1
    never_saw = max(placebo.starts, order.placebos)
    runs = min(placebo.models, order.seeds) * (placebo.starts + len(order.original_seeds(SECRET)))
    run_s = _steps(retain, placebo.recipe) * step_s
    training_s = (2 * order.seeds + never_saw) * model_s + originals * original_s + runs * run_s
    return Rehearsal(
        images=len(order.dataset.labels),
        counts={name: len(examples) for name, examples in whole.splits.named().items()},
        device="cuda" if torch.cuda.is_available() else "cpu",
        processes=len(found),
        rehearsed=int(sum(one["models"] for one in found)),
        step_s=step_s,
        measure_s=measure_s,
        core_share=core_share,
        models=2 * order.seeds + never_saw + originals,
        runs=runs,
        models_per_s=len(found) / model_s,
        build_s=training_s / len(found) + judging_s,
        parent_bytes=_peak_bytes(),
        process_bytes=max(int(one["peak_bytes"]) for one in found) if len(found) > 1 else 0,
        disk=disk,
        bundle_bytes=bundle_bytes,
        judging_s=judging_s,
    )


def _steps(examples: int, recipe: Recipe) -> int:
    return recipe.epochs * -(-examples // recipe.batch_size)


def _timed(farm: Farm, recipe: Recipe, place: Path, progress: Progress) -> list[Arrays]:
    """Have every process train a few steps and measure, or the one with a GPU; return what each of them found."""
    together = farm.together(Job(recipe))
    processes = 1 if together else os.cpu_count() or 1
    tasks = [((recipe, number, together), place / f"rehearsed-{number}.safetensors") for number in range(processes)]
    farm.compute(_few_steps, tasks, lambda done: progress(STEPS, done, len(tasks)))
    return [load_file(file) for _, file in tasks]


def _few_steps(build: Architecture, splits: Splits, task: tuple[Recipe, int, int]) -> Arrays:
    """Train a chunk of models for a few steps with all data in memory, and measure them; time both for one model."""
    recipe, number, together = task
    everything = splits.retain.joined(splits.forget)  # as the process has it that trains an original model
    seeds = [number * 1000 + one for one in range(together or chunk_size(build))]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    models = {name: value.to(device) for name, value in initialise(build, seeds).items()}
    once = replace(recipe, epochs=1)
    for count in (WARM_STEPS, TIMED_STEPS):
        few = _first(everything, min(count * recipe.batch_size, len(everything)))
        began, cpu_began = time.perf_counter(), time.process_time()
        models = train(build, models, examples=few, seeds=seeds, recipe=once, validation=splits.validation)
        trained_s = time.perf_counter() - began
    began = time.perf_counter()
    arrays = measure(build, models, splits)
    measured_s = time.perf_counter() - began
    numbers = {
        "step_s": trained_s / _steps(len(few), once) / len(seeds),
        "measure_s": measured_s / len(seeds),
        "core_share": (time.process_time() - cpu_began) / (trained_s + measured_s),
        "models": float(len(seeds)),
        "peak_bytes": float(_peak_bytes()),
    }
    return {name: value[:1] for name, value in arrays.items()} | {key: np.array(own) for key, own in numbers.items()}


def _first(examples: Examples, count: int) -> Examples:
    return replace(examples, images=examples.images[:count], labels=examples.labels[:count], subjects=None)


def _judge_and_write(  # noqa: PLR0917 - all that a bundle is made of
    root: Path,
    order: Order,
    whole: Cut,
    build: Architecture,
    found: Sequence[Arrays],
    remarks: Sequence[str],
    disk: Disk,
) -> int:
    """Judge made-up measurements of both oracles at full size and write their bundle; return its bytes."""
    oracle, second = (_made_up(found, order.seeds, number) for number in range(2))
    original = _made_up(found, order.originals, 2)
    placebos = Placebos(1.0, (1.0,))  # of no model: only memory and time are looked for
    fitness = fitness_of(
        whole.splits, original=original, oracle=oracle, second_oracle=second, placebos=placebos, quality=order.quality
    )
    models = initialise(build, range(order.originals))
    untrained = Trained.from_arrays([measure(build, initialise(build, range(UNTRAINED_MODELS)), whole.splits)])
    several = {name: value.contiguous() for name, value in models.items()} if order.originals > 1 else None
    never_saw = several if order.placebos else None
    built = Built(
        name=order.name or order.definition.name,
        definition=order.definition,
        scenario_text=order.scenario_text,
        drawn_for=order.drawn_for,
        original_draw=0,
        dataset=order.dataset,
        cut=whole,
        architecture=build,
        secret=SECRET,
        original={name: value[0].contiguous() for name, value in models.items()},
        originals=several,
        placebos=never_saw,
        measured={
            "oracle": oracle.measurements,
            "second_oracle": second.measurements,
            "original": original.measurements,
            "untrained": untrained.measurements,
        }
        | ({"placebo": original.measurements} if order.placebos else {}),
        replaced=0,
        fitness=fitness,
        disk=disk,
        remarks=remarks,
    )
    write_bundle(root, built)
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


def _made_up(found: Sequence[Arrays], models: int, seed: int) -> Trained:
    """Make measurements of many models from those of a few, joined as a build joins the files of each."""
    generator = np.random.default_rng(seed)
    parts = []
    for number in range(models):
        one = {name: value.copy() for name, value in found[number % len(found)].items() if value.ndim}
        logits = one["forget_logits"]
        one["forget_logits"] = logits + generator.normal(scale=NOISE, size=logits.shape).astype(logits.dtype)
        parts.append(one)
    return Trained.from_arrays(parts)


def _peak_bytes() -> int:
    """Return the most memory that this process had resident, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
