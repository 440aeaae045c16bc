"""Training many small models at once: one batched program instead of many programs.

All models share an architecture, a training set and a recipe; each has a seed of its own for initialisation and data
order. Parameters are stacked along a leading axis, and torch's vmap turns each layer into one batched matrix product.
A model depends on its own seed alone, not on which others it was trained beside (rounding apart).
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.functional import cross_entropy

from services.benchmarks.recipes import Recipe

__all__ = ["CHUNK", "Build", "Stacked", "initialise", "repeat", "stacked_logits", "train"]

Stacked = dict[str, Tensor]  # name -> [models, ...]
Build = Callable[[], nn.Module]
CHUNK = 64  # models in lockstep; more no longer fit the cache


def initialise(build: Build, seeds: Sequence[int]) -> Stacked:
    """Build one model per seed, each under its own generator state."""
    states = []
    with torch.random.fork_rng(devices=[]):
        for seed in seeds:
            torch.manual_seed(seed)
            states.append(build().state_dict())
    return {name: torch.stack([state[name] for state in states]) for name in states[0]}


def repeat(state: dict[str, Tensor], models: int) -> Stacked:
    """Stack copies of one model."""
    return {name: value.expand(models, *value.shape).clone() for name, value in state.items()}


def train(
    build: Build,
    start: Stacked,
    *,
    images: Tensor,
    labels: Tensor,
    seeds: Sequence[int],
    recipe: Recipe,
) -> Stacked:
    """Train each model from its start on images [n, ...] and labels [n], some in lockstep at a time."""
    done: list[Stacked] = []
    for first in range(0, len(seeds), CHUNK):
        chunk = {name: value[first : first + CHUNK].clone() for name, value in start.items()}
        done.append(
            _train_chunk(build, chunk, images=images, labels=labels, seeds=seeds[first : first + CHUNK], recipe=recipe)
        )
    return {name: torch.cat([chunk[name] for chunk in done]) for name in start}


def stacked_logits(build: Build, models: Stacked, images: Tensor) -> Tensor:
    """Compute logits [models, n, classes] of every model on images [n, ...]."""
    template = build()

    def forward(parameters: Stacked) -> Tensor:
        logits: Tensor = functional_call(template, parameters, (images,))
        return logits

    with torch.no_grad():
        chunks = [
            vmap(forward)({name: value[first : first + CHUNK] for name, value in models.items()})
            for first in range(0, len(next(iter(models.values()))), CHUNK)
        ]
    return torch.cat(chunks)


def _train_chunk(
    build: Build, models: Stacked, *, images: Tensor, labels: Tensor, seeds: Sequence[int], recipe: Recipe
) -> Stacked:
    template = build()
    names, parameters = list(models), [value.requires_grad_() for value in models.values()]
    velocity = [torch.zeros_like(value) for value in parameters]

    def forward(own: Stacked, batch: Tensor) -> Tensor:
        logits: Tensor = functional_call(template, own, (batch,))
        return logits

    for batch in _batches(seeds, len(labels), recipe):
        logits = vmap(forward)(dict(zip(names, parameters, strict=True)), images[batch])
        # Models share nothing, so the gradient of the sum of their losses holds the gradient of each.
        total = cross_entropy(logits.flatten(0, 1), labels[batch].flatten(), reduction="sum") / batch.shape[1]
        step = list(torch.autograd.grad(total, parameters))
        with torch.no_grad():
            if recipe.weight_decay:
                torch._foreach_add_(step, parameters, alpha=recipe.weight_decay)
            torch._foreach_mul_(velocity, recipe.momentum)
            torch._foreach_add_(velocity, step)
            torch._foreach_add_(parameters, velocity, alpha=-recipe.learning_rate)
    return {name: value.detach() for name, value in zip(names, parameters, strict=True)}


def _batches(seeds: Sequence[int], count: int, recipe: Recipe) -> Iterator[Tensor]:
    """Yield indexes [models, batch], each row shuffled by the model's own generator, anew every epoch."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    for _ in range(recipe.epochs):
        order = torch.stack([torch.randperm(count, generator=generator) for generator in generators])
        yield from torch.split(order, recipe.batch_size, dim=1)
