"""Training many small models at once: one batched program instead of many programs.

All models share an architecture, a training set and a recipe; each has a seed of its own for initialisation and data
order. Parameters are stacked along a leading axis, and torch's vmap turns each layer into one batched matrix product.
A model depends on its own seed alone, not on which others it was trained beside (rounding apart).
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.functional import cross_entropy

from services.benchmarks.recipes import Recipe

__all__ = ["Stacked", "initialise", "repeat", "stacked_logits", "train"]

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
    progress: Callable[[int], None] = lambda _: None,
) -> Stacked:
    """Train each model from its start on images [n, ...] and labels [n]; `progress` gets the models done so far."""
    done: list[Stacked] = []
    for first in range(0, len(seeds), CHUNK):
        chunk = {name: value[first : first + CHUNK].clone() for name, value in start.items()}
        done.append(
            _train_chunk(build, chunk, images=images, labels=labels, seeds=seeds[first : first + CHUNK], recipe=recipe)
        )
        progress(min(first + CHUNK, len(seeds)))
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
    build: Build, parameters: Stacked, *, images: Tensor, labels: Tensor, seeds: Sequence[int], recipe: Recipe
) -> Stacked:
    template = build()

    def loss(own: Stacked, batch: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(functional_call(template, own, (batch,)), targets)

    gradients = vmap(grad(loss))
    velocity = {name: torch.zeros_like(value) for name, value in parameters.items()}
    for batch in _batches(seeds, len(labels), recipe):
        step = gradients(parameters, images[batch], labels[batch])
        for name, value in parameters.items():
            direction = step[name].add_(value, alpha=recipe.weight_decay)
            velocity[name].mul_(recipe.momentum).add_(direction)
            value.add_(velocity[name], alpha=-recipe.learning_rate)
    return parameters


def _batches(seeds: Sequence[int], count: int, recipe: Recipe) -> Iterator[Tensor]:
    """Yield indexes [models, batch], each row shuffled by the model's own generator, anew every epoch."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    for _ in range(recipe.epochs):
        order = torch.stack([torch.randperm(count, generator=generator) for generator in generators])
        yield from torch.split(order, recipe.batch_size, dim=1)
