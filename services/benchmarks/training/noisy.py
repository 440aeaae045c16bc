"""Noisy gradient descent on logistic regression for many models at once. `NoisyDescent` explains the algorithm."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from services.benchmarks.examples import Examples
from services.benchmarks.recipes import NoisyDescent
from services.benchmarks.training.models import Stacked
from services.core.errors import BadInput

__all__ = ["BadNoisyDescent", "clipped_gradient", "descend", "project", "unit_features"]

BLOCK = 256  # number of steps for which noise is drawn at once


class BadNoisyDescent(BadInput):
    code = "bad_noisy_descent"


def descend(start: Stacked, *, examples: Examples, seeds: Sequence[int], recipe: NoisyDescent) -> Stacked:
    """Train one model per seed, each with different noise; `start` gives only shapes and device.

    The model is `unit_logistic`: one tensor [models, rows, d], with one row for two classes, else one row per class.
    Raises BadNoisyDescent if batches would have unequal sizes.
    """
    (name, shape) = _only_tensor(start)
    count, device = len(examples), start[name].device
    if count % recipe.batches or recipe.steps % recipe.batches:
        raise BadNoisyDescent(
            f"{count} examples and {recipe.steps} steps do not divide into {recipe.batches} batches. Change the split, "
            "the forget set or the steps."
        )
    features = unit_features(examples.inputs(slice(None))).to(device)
    targets = _targets(torch.from_numpy(examples.labels).to(device), rows=shape[1])
    batches = [(features[first :: recipe.batches], targets[first :: recipe.batches]) for first in range(recipe.batches)]
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    weights = recipe.start_deviation * _draw(generators, 1, shape, device)[0]
    scale = math.sqrt(2 * recipe.step) * recipe.sigma
    for first in range(0, recipe.steps, BLOCK):
        steps = min(BLOCK, recipe.steps - first)
        noise = _draw(generators, steps, shape, device) if scale else None
        for number in range(steps):
            batch = batches[(first + number) % recipe.batches]
            gradient = clipped_gradient(weights, *batch, limit=recipe.lipschitz) + recipe.strong_convexity * weights
            weights = weights - recipe.step * gradient
            if noise is not None:
                weights = weights + scale * noise[number]
            weights = project(weights, recipe.radius)
    if recipe.published_sigma:
        weights = weights + recipe.published_sigma * _draw(generators, 1, shape, device)[0]
    return {name: weights}


def clipped_gradient(weights: Tensor, features: Tensor, targets: Tensor, *, limit: float) -> Tensor:
    """Average the gradients of a batch's losses, each clipped to a norm; return [models, rows, d], like the weights.

    `features` [b, d] have unit norm, so an example's gradient has the norm of its error [rows]. `targets` [b, rows] are
    one-hot labels, or the labels themselves for two classes.
    """
    logits = (weights @ features.T).transpose(1, 2)  # [models, b, rows]; this order needs one matrix product
    probabilities = torch.sigmoid(logits) if targets.shape[1] == 1 else torch.softmax(logits, dim=2)
    errors = probabilities - targets
    errors = errors * (limit / errors.norm(dim=2, keepdim=True).clamp(min=limit))
    gradient: Tensor = errors.transpose(1, 2) @ features / len(features)
    return gradient


def project(weights: Tensor, radius: float) -> Tensor:
    """Move every model [rows, d] outside the ball around 0 to its surface; keep the others."""
    norms = weights.flatten(1).norm(dim=1)[:, None, None]
    inside: Tensor = weights * (radius / norms).clamp(max=1)
    return inside


def unit_features(inputs: Tensor) -> Tensor:
    """Flatten inputs [n, ...] to [n, d] and scale each to norm 1, as the architecture does."""
    return torch.nn.functional.normalize(inputs.flatten(1))


def _only_tensor(start: Stacked) -> tuple[str, tuple[int, ...]]:
    if len(start) != 1:
        raise BadNoisyDescent("Noisy descent trains models of one tensor. Use the architecture unit_logistic.")
    name, value = next(iter(start.items()))
    return name, tuple(value.shape)


def _targets(labels: Tensor, *, rows: int) -> Tensor:
    return labels.float()[:, None] if rows == 1 else torch.nn.functional.one_hot(labels, rows).float()


def _draw(generators: Sequence[torch.Generator], steps: int, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Draw standard normal noise [steps, models, rows, d], each model's from its own generator."""
    own = [torch.randn((steps, *shape[1:]), generator=generator) for generator in generators]
    return torch.stack(own, dim=1).to(device)
