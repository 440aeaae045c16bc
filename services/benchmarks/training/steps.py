"""The steps of a recipe, the same for models in lockstep and for a single model."""

import math
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from services.benchmarks.recipes import Recipe

__all__ = ["class_weights", "learning_rates", "make_optimizer", "orders"]


def make_optimizer(recipe: Recipe, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
    """Create the recipe's optimizer in its fused form: one pass over all parameters instead of many small ones."""
    if recipe.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)
    return torch.optim.SGD(
        parameters, lr=recipe.learning_rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay, fused=True
    )


def learning_rates(recipe: Recipe) -> list[float]:
    """Return the learning rate of each epoch."""
    if recipe.schedule == "constant":
        return [recipe.learning_rate] * recipe.epochs
    turns = [math.pi * epoch / recipe.epochs for epoch in range(recipe.epochs)]
    return [recipe.learning_rate * (1 + math.cos(turn)) / 2 for turn in turns]


def class_weights(recipe: Recipe, labels: Tensor, classes: int) -> Tensor:
    """Return the weight of each class, [classes]; a class without examples has weight 0."""
    counts = torch.bincount(labels, minlength=classes).float()
    if recipe.class_weights == "none":
        return torch.ones_like(counts)
    return torch.where(counts > 0, 1 / counts, 0.0)


def orders(
    generators: Sequence[torch.Generator], count: int, recipe: Recipe, device: torch.device | str = "cpu"
) -> Iterator[Tensor]:
    """Yield the batches of one epoch as indexes [models, batch] on a device; each model's generator shuffles its row.

    Generators are of the CPU, so that a model sees the same order on every device.
    """
    order = torch.stack([torch.randperm(count, generator=generator) for generator in generators]).to(device)
    ends = list(range(recipe.batch_size, count, recipe.batch_size))
    if ends and count - ends[-1] == 1:
        ends.pop()  # batch normalisation needs more than one example
    yield from torch.tensor_split(order, ends, dim=1)
