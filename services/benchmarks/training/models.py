"""Many models of one architecture as tensors, stacked along a leading axis."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from services.benchmarks.examples import Examples
from services.benchmarks.training.arithmetic import multiplying

__all__ = ["Build", "Stacked", "count_of", "initialise", "one_of", "perturb", "repeat", "skeleton", "stacked_logits"]

Stacked = dict[str, Tensor]  # name -> [models, ...]; parameters and buffers
IMAGES_AT_ONCE = 1024


class Build(Protocol):
    """Builds an untrained model."""

    def __call__(self) -> nn.Module: ...

    def is_linear_algebra(self) -> bool:
        """Tell whether all parameters belong to linear layers."""
        ...

    def stacks(self) -> bool:
        """Tell whether many models of it can be computed in lockstep, each of its layers in one call."""
        ...


def initialise(build: Callable[[], nn.Module], seeds: Sequence[int]) -> Stacked:
    """Build one model per seed, each with the global generator seeded by it."""
    states = []
    with torch.random.fork_rng(devices=[]):
        for seed in seeds:
            torch.manual_seed(seed)
            states.append(build().state_dict())
    return {name: torch.stack([state[name] for state in states]) for name in states[0]}


def repeat(state: dict[str, Tensor], models: int) -> Stacked:
    """Stack copies of one model."""
    return {name: value.expand(models, *value.shape).clone() for name, value in state.items()}


def perturb(models: Stacked, *, parameters: Sequence[str], deviation: float, seeds: Sequence[int]) -> Stacked:
    """Add normal noise to every parameter, with a separate generator for each model; keep buffers."""
    noisy = dict(models)
    for name in parameters:
        noisy[name] = models[name].clone()
    for position, seed in enumerate(seeds):
        generator = torch.Generator().manual_seed(seed)
        for name in parameters:
            value = noisy[name][position]
            value += deviation * torch.randn(value.shape, generator=generator)
    return noisy


def skeleton(build: Callable[[], nn.Module]) -> nn.Module:
    """Build a model without weights, which costs nothing; they come later, or with every call."""
    with torch.device("meta"):
        return build()


def count_of(models: Stacked) -> int:
    """Count stacked models."""
    return len(next(iter(models.values())))


def one_of(models: Stacked, position: int) -> dict[str, Tensor]:
    """Return one model's state dict."""
    return {name: value[position] for name, value in models.items()}


def stacked_logits(build: Build, models: Stacked, examples: Examples) -> Tensor:
    """Compute logits [models, n, classes] on the models' device; return them on the CPU."""
    template = skeleton(build).eval()
    return torch.cat([logits.cpu() for logits in _logits(build, template, models, examples)], dim=1)


def _logits(build: Build, template: nn.Module, models: Stacked, examples: Examples) -> Iterator[Tensor]:
    """Yield logits [models, part, classes], for a part of the images at a time."""
    device = next(iter(models.values())).device
    shown = examples.on(device)

    def forward(state: Stacked, images: Tensor) -> Tensor:
        logits: Tensor = functional_call(template, state, (images,))
        return logits

    together = build.is_linear_algebra()
    with torch.no_grad(), multiplying(device, tf32=False):
        for first in range(0, len(examples), IMAGES_AT_ONCE):
            images = shown.inputs(slice(first, first + IMAGES_AT_ONCE))
            if together:
                yield vmap(forward, in_dims=(0, None))(models, images)
            else:
                yield torch.stack([forward(one_of(models, index), images) for index in range(count_of(models))])
