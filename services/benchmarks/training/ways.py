"""The ways to train many models by one recipe, and which of them is the fastest for a net on a device."""

import gc
import time
from collections.abc import Callable
from enum import StrEnum

import structlog
import torch

from services.benchmarks.examples import Examples
from services.benchmarks.recipes import Recipe
from services.benchmarks.training.learners import Alone, Learner, Lockstep, UnfoldedLockstep
from services.benchmarks.training.models import Build, Stacked, count_of

__all__ = ["LEARNERS", "Way", "fitting", "most_together", "release_memory", "way_on"]

log = structlog.get_logger()

TRIAL_MODELS, TRIAL_STEPS = 16, 5
MOST_LINEAR, MOST_CONVOLUTIONAL = 512, 128  # models in lockstep on a GPU: more are no faster, and lost if it is killed
SHARE = 0.8  # of the free memory that models in lockstep may take


class Way(StrEnum):
    """How models are trained beside each other."""

    ALONE = "alone"  # one after another
    GROUPED = "grouped"  # in lockstep; convolutions are grouped
    UNFOLDED = "unfolded"  # in lockstep; convolutions are batched matrix products


LEARNERS: dict[Way, type[Learner]] = {Way.ALONE: Alone, Way.GROUPED: Lockstep, Way.UNFOLDED: UnfoldedLockstep}
_fastest: dict[tuple[object, ...], Way] = {}  # found by trial in this process


def way_on(build: Build, start: Stacked, examples: Examples, recipe: Recipe) -> Way:
    """Choose the way for a net on the device of its start; on CUDA, convolutional nets try both kinds of lockstep."""
    device = next(iter(start.values())).device
    if build.is_linear_algebra():
        return Way.GROUPED
    if device.type != "cuda" or not build.stacks():
        return Way.ALONE
    key = (build, recipe.batch_size, torch.cuda.get_device_name(device))
    if key not in _fastest:
        some = {name: value[:TRIAL_MODELS] for name, value in start.items()}
        spent = {way: _try(way, build, some, examples, recipe) for way in (Way.GROUPED, Way.UNFOLDED)}
        _fastest[key] = min(spent, key=lambda way: spent[way])
        log.info(
            "way_chosen", way=_fastest[key].value, seconds={way.value: round(took, 6) for way, took in spent.items()}
        )
    return _fastest[key]


def most_together(build: Build) -> int:
    """Return how many models a GPU trains at once, if it has the memory."""
    return MOST_LINEAR if build.is_linear_algebra() else MOST_CONVOLUTIONAL


def fitting(way: Way, build: Build, start: Stacked, examples: Examples, recipe: Recipe) -> int:
    """Return how many models fit into the free memory of a GPU, by what a step of two of them takes.

    A step counts twice, because a recording keeps its own memory beside that of an epoch's last, smaller batch.
    """
    device = next(iter(start.values())).device
    release_memory(device)
    free, _ = torch.cuda.mem_get_info(device)
    try:
        each = _bytes_of_a_step(way, build, start, examples, recipe)
    except torch.OutOfMemoryError:
        return 1
    finally:
        release_memory(device)
    return max(1, min(most_together(build), int(SHARE * free / (2 * each))))


def release_memory(device: torch.device) -> None:
    """Give what is not in use any more back to the device."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _bytes_of_a_step(way: Way, build: Build, start: Stacked, examples: Examples, recipe: Recipe) -> float:
    device = next(iter(start.values())).device
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    some = {name: value[:2].clone() for name, value in start.items()}
    learner = LEARNERS[way](build, some, examples, recipe)
    Learner.step(learner, _first_batch(some, examples, recipe))
    learner.state()
    return (torch.cuda.max_memory_allocated(device) - before) / count_of(some)


def _try(way: Way, build: Build, start: Stacked, examples: Examples, recipe: Recipe) -> float:
    """Return the seconds of a step; infinity if the device refuses the way."""
    device = next(iter(start.values())).device
    try:
        return _time(LEARNERS[way](build, _copy(start), examples, recipe).step, _first_batch(start, examples, recipe))
    except RuntimeError as error:  # of cuDNN, or out of memory
        log.warning("way_failed", way=way.value, error=str(error).splitlines()[:1])
        return float("inf")
    finally:
        release_memory(device)


def _time(step: Callable[[torch.Tensor], None], batch: torch.Tensor) -> float:
    step(batch)
    torch.cuda.synchronize(batch.device)
    started = time.perf_counter()
    for _ in range(TRIAL_STEPS):
        step(batch)
    torch.cuda.synchronize(batch.device)
    return (time.perf_counter() - started) / TRIAL_STEPS


def _first_batch(start: Stacked, examples: Examples, recipe: Recipe) -> torch.Tensor:
    device = next(iter(start.values())).device
    return torch.arange(min(recipe.batch_size, len(examples)), device=device).expand(count_of(start), -1).contiguous()


def _copy(models: Stacked) -> Stacked:
    return {name: value.clone() for name, value in models.items()}
