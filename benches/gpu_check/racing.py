"""Speed and correctness of oracle training on a device: in lockstep, and by a plain loop, one model after another.

The plain loop is written as anyone would, with torch's own optimizer and loss, its data on the device. Both sides train
the same models: same starts, same order of examples.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from services.benchmarks.architecture import Architecture
from services.benchmarks.examples import Examples
from services.benchmarks.recipes import Recipe
from services.benchmarks.training import Stacked, Way, initialise, stacked_logits
from services.benchmarks.training.arithmetic import multiplying
from services.benchmarks.training.steps import class_weights, learning_rates, orders
from services.benchmarks.training.ways import LEARNERS, fitting, release_memory

__all__ = ["PlainLoop", "Race", "accuracies", "differs_by", "timed"]


class PlainLoop:
    """Trains one model from a seed."""

    def __init__(
        self, build: Architecture, examples: Examples, recipe: Recipe, seed: int, device: torch.device
    ) -> None:
        torch.manual_seed(seed)
        self.net = build().to(device).train()
        self.recipe, self.device, self.count = recipe, device, len(examples)
        self.images = examples.inputs(slice(None)).to(device)
        labels = torch.from_numpy(examples.labels)
        self.weights = class_weights(recipe, labels, 1 + int(labels.max())).to(device)
        self.labels = labels.to(device)
        self.order = torch.Generator().manual_seed(seed)
        self.optimizer = self._optimizer()

    def run(self) -> Stacked:
        """Train to the end; return the state as a stack of one model."""
        for rate in learning_rates(self.recipe):
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            for batch in orders([self.order], self.count, self.recipe, self.device):
                self.step(batch[0])
        return {name: value.detach()[None] for name, value in self.net.state_dict().items()}

    def step(self, batch: Tensor) -> None:
        """Take one step on a batch of indexes."""
        self.optimizer.zero_grad(set_to_none=True)
        cross_entropy(self.net(self.images[batch]), self.labels[batch], weight=self.weights).backward()
        self.optimizer.step()

    def _optimizer(self) -> torch.optim.Optimizer:
        parameters, recipe = self.net.parameters(), self.recipe
        if recipe.optimizer == "adam":
            return torch.optim.Adam(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
        return torch.optim.SGD(
            parameters, lr=recipe.learning_rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )


class Race:
    """Seconds of a step of one recipe on one training set, on one device."""

    def __init__(self, build: Architecture, examples: Examples, recipe: Recipe, device: torch.device) -> None:
        self.build, self.examples, self.recipe, self.device = build, examples, recipe, device
        self.batch = torch.arange(min(recipe.batch_size, len(examples)), device=device)

    @property
    def steps_a_model(self) -> int:
        """The number of steps of the whole recipe."""
        return self.recipe.epochs * -(-len(self.examples) // self.recipe.batch_size)

    def plain(self, steps: int) -> float:
        """Return how many models a second the plain loop trains, from the time of some steps."""
        loop = PlainLoop(self.build, self.examples, self.recipe, 0, self.device)
        return self._rate(1, timed(lambda: loop.step(self.batch), steps, self.device))

    def lockstep(self, way: Way, steps: int, most: int) -> tuple[float, int, bool]:
        """Return how many models a second, how many of them together, and whether steps are replayed as a graph."""
        with multiplying(self.device, tf32=True):
            count = most
            if self.device.type == "cuda":
                count = min(most, fitting(way, self.build, self._start(2), self.examples, self.recipe))
            while (told := self._try(way, steps, count)) is None:  # too little memory
                release_memory(self.device)
                count //= 2
        release_memory(self.device)
        spent, recorded = told
        return self._rate(count, spent), count, recorded

    def one_step(self, way: Way) -> float:
        """Return how far one step in lockstep lies from the plain loop's, as a share of the step, in float32."""
        recipe = replace(self.recipe, optimizer="sgd", momentum=0.0, learning_rate=1e-2, weight_decay=0.0)
        with multiplying(self.device, tf32=False):
            start = self._start(2)
            own = {name: value.clone() for name, value in start.items()}
            learner = LEARNERS[way](self.build, own, self.examples, recipe)
            learner.step(self.batch.expand(2, -1).contiguous())
            found = learner.state()
            furthest = 0.0
            for seed in range(2):
                loop = PlainLoop(self.build, self.examples, recipe, seed, self.device)
                loop.step(self.batch)
                ours = {name: value[seed] for name, value in found.items()}
                begun = {name: value[seed] for name, value in start.items()}
                furthest = max(furthest, differs_by(ours, dict(loop.net.named_parameters()), begun))
        return furthest

    def _try(self, way: Way, steps: int, count: int) -> tuple[float, bool] | None:
        """Return the seconds of a step of `count` models, and whether it was replayed; None if memory is too short."""
        try:
            one = self._start(1)
            start = {name: value.expand(count, *value.shape[1:]).clone() for name, value in one.items()}
            learner = LEARNERS[way](self.build, start, self.examples, self.recipe)
            batch = self.batch.expand(count, -1).contiguous()
            return timed(lambda: learner.step(batch), steps, self.device), learner.recorded
        except torch.OutOfMemoryError:
            if count == 1:
                raise
            return None

    def _start(self, count: int) -> Stacked:
        return {name: value.to(self.device) for name, value in initialise(self.build, range(count)).items()}

    def _rate(self, models: int, step_s: float) -> float:
        return models / (step_s * self.steps_a_model)


def timed(step: Callable[[], object], steps: int, device: torch.device) -> float:
    """Return the seconds of a step, after two that are not counted."""
    for _ in range(2):
        step()
    _wait_for(device)
    started = time.perf_counter()
    for _ in range(steps):
        step()
    _wait_for(device)
    return (time.perf_counter() - started) / steps


def differs_by(ours: dict[str, Tensor], theirs: dict[str, nn.Parameter], begun: dict[str, Tensor]) -> float:
    """Return the norm of the difference between two models as a share of their way from where both began."""
    apart = sum(float((ours[name] - value.detach()).square().sum()) for name, value in theirs.items())
    way = sum(float((value.detach() - begun[name]).square().sum()) for name, value in theirs.items())
    return float(np.sqrt(apart / max(way, 1e-30)))


def accuracies(build: Architecture, models: Stacked, examples: Examples) -> NDArray[np.float64]:
    """Return each model's accuracy."""
    found = stacked_logits(build, models, examples).argmax(dim=2).numpy()
    return np.asarray((found == examples.labels).mean(axis=1), dtype=np.float64)


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
