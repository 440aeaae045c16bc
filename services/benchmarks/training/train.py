"""Trains models by one recipe on one training set, each model with a different seed.

If all parameters belong to linear layers, models are trained in lockstep: they are stacked along a leading axis, and
torch's vmap turns each layer into one batched matrix product. Convolutions gain nothing from that on a CPU (batched
products over unfolded images take 1.6 to 3.4 times as long, grouped convolutions 0.9 to 1.6 times), so those nets are
trained one after another there, with fused optimizers. A GPU waits for the starts of small kernels, so on CUDA they are
trained in lockstep, too. Except for rounding, a model depends only on its seed, not on the models trained beside it.
"""

import math
from collections.abc import Callable, Sequence

import torch

from services.benchmarks.examples import Examples
from services.benchmarks.recipes import NoisyDescent, Recipe
from services.benchmarks.training.arithmetic import multiplying
from services.benchmarks.training.learners import Learner
from services.benchmarks.training.models import Build, Stacked, count_of, stacked_logits
from services.benchmarks.training.noisy import descend
from services.benchmarks.training.steps import learning_rates, orders
from services.benchmarks.training.ways import LEARNERS, Way, fitting, release_memory, way_on

__all__ = ["CHUNK", "chunk_size", "evenly", "in_groups", "train"]

CHUNK = 64  # models in lockstep on a CPU; more do not fit into the cache


def chunk_size(build: Build) -> int:
    """Return the number of models in one file of a build, which is how many a CPU trains together."""
    return CHUNK if build.is_linear_algebra() else 1


def train(
    build: Build,
    start: Stacked,
    *,
    examples: Examples,
    seeds: Sequence[int],
    recipe: Recipe | NoisyDescent,
    validation: Examples | None = None,
    way: Way | None = None,
) -> Stacked:
    """Train each model from its start, on the start's device. Only best-validation weights need `validation`.

    The caller initialises models, with `initialise` for models from scratch. Seeds determine the order of examples and
    any dropout. Noisy descent draws its starts itself. Without a `way`, the device's fastest is taken. Raises
    torch.OutOfMemoryError if a GPU has too little memory for a single model.
    """
    if isinstance(recipe, NoisyDescent):
        return descend(start, examples=examples, seeds=seeds, recipe=recipe)
    device = next(iter(start.values())).device
    with multiplying(device, tf32=not build.is_linear_algebra()):
        chosen = way or way_on(build, start, examples, recipe)

        def work(first: int, last: int) -> Stacked:
            models = {name: value[first:last].clone() for name, value in start.items()}
            return _run(build, LEARNERS[chosen](build, models, examples, recipe), seeds[first:last], validation)

        size = _group_size(chosen, build, start, examples, recipe)
        done = in_groups(len(seeds), size, work, release=lambda: release_memory(device))
    return {name: torch.cat([group[name] for group in done]) for name in start}


def in_groups(
    count: int, size: int, work: Callable[[int, int], Stacked], release: Callable[[], None] = lambda: None
) -> list[Stacked]:
    """Call `work(first, last)` for groups of at most `size` models; halve the groups if memory is too short for one.

    `release` frees what a failed group left. Raises torch.OutOfMemoryError if there is too little for a single model.
    """
    done, first = [], 0
    while first < count:
        last = min(first + size, count)
        models = _attempt(work, first, last)
        if models is None:
            release()
            size = (last - first) // 2
            continue
        done.append(models)
        first = last
    return done


def _attempt(work: Callable[[int, int], Stacked], first: int, last: int) -> Stacked | None:
    """Return None, and keep nothing that the error holds, if memory is too short for several models."""
    try:
        return work(first, last)
    except torch.OutOfMemoryError:
        if last - first == 1:
            raise
        return None


def _group_size(way: Way, build: Build, start: Stacked, examples: Examples, recipe: Recipe) -> int:
    if way is Way.ALONE:
        return 1
    if next(iter(start.values())).device.type != "cuda":
        return CHUNK
    return evenly(count_of(start), fitting(way, build, start, examples, recipe))


def evenly(count: int, most: int) -> int:
    """Return the size of as few groups as possible of at most `most` models, all but the last one equally large."""
    return math.ceil(count / math.ceil(count / most))


def _run(build: Build, learner: Learner, seeds: Sequence[int], validation: Examples | None) -> Stacked:
    """Run all steps of the recipe; return the weights that it keeps."""
    recipe, optimizer = learner.recipe, learner.optimizer
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    best: Stacked = {}
    highest = torch.full((len(seeds),), -1.0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds[0])
        for rate in learning_rates(recipe):
            for group in optimizer.param_groups:
                group["lr"] = rate
            for batch in orders(generators, learner.count, recipe, learner.device):
                learner.step(batch)
            if recipe.weights == "best-validation":
                best, highest = _better(build, best, highest, learner.state(), validation)
    return best or learner.state()


def _better(
    build: Build, best: Stacked, highest: torch.Tensor, models: Stacked, validation: Examples | None
) -> tuple[Stacked, torch.Tensor]:
    """Replace each best model by the current one if its validation accuracy is higher."""
    assert validation is not None, "best-validation weights need a validation set"
    logits = stacked_logits(build, models, validation)
    accuracy = (logits.argmax(dim=2) == torch.from_numpy(validation.labels)).float().mean(dim=1)
    higher = accuracy > highest
    if not best:
        return models, accuracy
    for name, value in models.items():
        best[name][higher] = value[higher]
    return best, torch.maximum(accuracy, highest)
