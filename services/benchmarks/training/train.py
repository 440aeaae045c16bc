"""Trains a chunk of models by one recipe on one training set, each model with a different seed.

If all parameters belong to linear layers, models are trained in lockstep: they are stacked along a leading axis, and
torch's vmap turns each layer into one batched matrix product. Convolutions gain nothing from that on a CPU (batched
products over unfolded images take 1.6 to 3.4 times as long, grouped convolutions 0.9 to 1.6 times), so those nets are
trained one after another, with fused optimizers. Except for rounding, a model depends only on its seed, not on the
models trained beside it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from services.benchmarks.examples import Examples
from services.benchmarks.recipes import NoisyDescent, Recipe
from services.benchmarks.training.models import Build, Stacked, count_of, one_of, skeleton, stacked_logits
from services.benchmarks.training.noisy import descend
from services.benchmarks.training.steps import class_weights, learning_rates, make_optimizer, orders

__all__ = ["CHUNK", "chunk_size", "train"]

CHUNK = 64  # models in lockstep; more do not fit into the cache


def chunk_size(build: Build) -> int:
    """Return the best number of models to train together."""
    return CHUNK if build.is_linear_algebra() else 1


def train(
    build: Build,
    start: Stacked,
    *,
    examples: Examples,
    seeds: Sequence[int],
    recipe: Recipe | NoisyDescent,
    validation: Examples | None = None,
) -> Stacked:
    """Train each model from its start, on the start's device. Only best-validation weights need `validation`.

    The caller initialises models, with `initialise` for models from scratch. Seeds determine the order of examples and
    any dropout. Noisy descent draws its starts itself.
    """
    if isinstance(recipe, NoisyDescent):
        return descend(start, examples=examples, seeds=seeds, recipe=recipe)
    size = chunk_size(build)
    done = []
    for first in range(0, len(seeds), size):
        chunk = {name: value[first : first + size].clone() for name, value in start.items()}
        learner = (_Lockstep if build.is_linear_algebra() else _Alone)(build, chunk, examples, recipe)
        done.append(_run(build, learner, seeds[first : first + size], validation))
    return {name: torch.cat([chunk[name] for chunk in done]) for name in start}


class _Learner:
    """Models in training."""

    def __init__(self, build: Build, models: Stacked, examples: Examples, recipe: Recipe) -> None:
        self.recipe = recipe
        self.device = next(iter(models.values())).device
        self.template = skeleton(build).train()
        self.examples = examples
        self.labels = torch.from_numpy(examples.labels)
        classes = 1 + int(self.labels.max())
        self.weights = class_weights(recipe, self.labels, classes)
        self.optimizer = make_optimizer(recipe, self.take(models))

    def take(self, models: Stacked) -> list[Tensor]:
        """Load the models; return the parameters for the optimizer."""
        raise NotImplementedError

    def loss(self, batch: Tensor) -> Tensor:
        """Add up the models' losses on a batch of indexes [models, batch]; models share no parameters."""
        raise NotImplementedError

    def state(self) -> Stacked:
        """Return the current models."""
        raise NotImplementedError

    def batch(self, chosen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return inputs, labels and the weight of each example in its model's loss."""
        labels = self.labels[chosen]
        weights = self.weights[labels]
        shares = weights / weights.sum(dim=-1, keepdim=True)
        return self.examples.inputs(chosen).to(self.device), labels.to(self.device), shares.to(self.device)


class _Lockstep(_Learner):
    def take(self, models: Stacked) -> list[Tensor]:
        self.models = {name: value.requires_grad_() for name, value in models.items()}
        return list(self.models.values())

    def loss(self, batch: Tensor) -> Tensor:
        inputs, labels, shares = self.batch(batch)
        return _cross_entropy(vmap(self._forward)(self.models, inputs), labels, shares)

    def _forward(self, state: Stacked, inputs: Tensor) -> Tensor:
        logits: Tensor = functional_call(self.template, state, (inputs,))
        return logits

    def state(self) -> Stacked:
        return {name: value.detach().clone() for name, value in self.models.items()}


class _Alone(_Learner):
    def take(self, models: Stacked) -> list[Tensor]:
        assert count_of(models) == 1
        self.template.load_state_dict(one_of(models, 0), assign=True)
        return list(self.template.parameters())

    def loss(self, batch: Tensor) -> Tensor:
        inputs, labels, shares = self.batch(batch[0])
        return _cross_entropy(self.template(inputs), labels, shares)

    def state(self) -> Stacked:
        return {name: value.detach().clone()[None] for name, value in self.template.state_dict().items()}


def _cross_entropy(logits: Tensor, labels: Tensor, shares: Tensor) -> Tensor:
    """Add up share * cross-entropy. torch's function takes 6 times as long on many rows with few classes."""
    own = logits.gather(-1, labels[..., None])[..., 0]
    return ((torch.logsumexp(logits, dim=-1) - own) * shares).sum()


def _run(build: Build, learner: _Learner, seeds: Sequence[int], validation: Examples | None) -> Stacked:
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
            for batch in orders(generators, len(learner.examples), recipe):
                optimizer.zero_grad(set_to_none=True)
                learner.loss(batch).backward()
                optimizer.step()
            if recipe.weights == "best-validation":
                best, highest = _better(build, best, highest, learner.state(), validation)
    return best or learner.state()


def _better(
    build: Build, best: Stacked, highest: Tensor, models: Stacked, validation: Examples | None
) -> tuple[Stacked, Tensor]:
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
