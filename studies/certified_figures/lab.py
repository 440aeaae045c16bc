"""Learning and unlearning the figures' models: one set of examples, many trials at once, in float32."""

import itertools
import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from services.benchmarks.catalogue import find_definition
from services.benchmarks.cutting import cut
from services.benchmarks.examples import Examples
from services.benchmarks.recipes import NoisyDescent
from services.benchmarks.scenarios import Random
from services.benchmarks.training.noisy import clipped_gradient, descend, project, unit_features
from services.core.errors import BadInput
from services.scorer.certificates import ConvexProblem
from studies.certified_figures.scales import SCALES, Scale

__all__ = ["Accuracy", "Lab", "TooFewSteps", "open_lab"]

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
TENSOR = "head.weight"


class TooFewSteps(BadInput):
    code = "too_few_steps"


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Accuracy on the test set, in per cent: mean and standard deviation over trials."""

    mean: float
    deviation: float

    def __str__(self) -> str:
        return f"{self.mean:.1f} ± {self.deviation:.1f}"


class Lab:
    """Learns, unlearns and measures; every call draws noise of its own, the same in every run of a figure.

    The first points of `train` are the ones that are forgotten first. Models are [trials, 1, d].
    """

    def __init__(self, train: Examples, test: Examples, *, scale: Scale, recipe: NoisyDescent, trials: int) -> None:
        self.scale, self.recipe, self.trials = scale, recipe, trials
        self.problem = _problem(recipe, len(train))
        if recipe.steps < self.problem.burn_in:
            raise TooFewSteps(
                f"{recipe.steps} steps of learning are too few: a start is forgotten after {self.problem.burn_in}."
            )
        self._train, self._test = train, test
        self._features, self._labels = _tensors(train)
        self._tests, self._truth = _tensors(test)
        self._seeds = itertools.count()

    @property
    def dimension(self) -> int:
        return self._features.shape[1]

    def smaller(self, batch_size: int) -> "Lab":
        """Leave out the points that batches of this size do not hold."""
        count = len(self._train) - len(self._train) % batch_size
        train = _only(self._train, slice(0, count))
        lab = Lab(train, self._test, scale=self.scale, recipe=self.recipe, trials=self.trials)
        lab._seeds = self._seeds
        return lab

    def learn(self, *, sigma: float, forgotten: int = 0, batches: int = 1) -> Tensor:
        """Learn without the first `forgotten` points, with the recipe's steps; one model if nothing is random."""
        count = self.trials if sigma else 1
        found = descend(
            {TENSOR: torch.zeros((count, 1, self.dimension), device=DEVICE)},
            examples=_only(self._train, slice(forgotten, None)),
            seeds=[next(self._seeds) for _ in range(count)],
            recipe=replace(
                self.recipe,
                sigma=sigma,
                batches=batches,
                steps=batches * math.ceil(self.recipe.steps / batches),
                published_sigma=0,
            ),
        )
        return found[TENSOR]

    def unlearn(self, models: Tensor, *, sigma: float, steps: int, forgotten: int, batches: int = 1) -> Tensor:
        """Run exactly `steps` more on the points that stay, each in the batch that it was in; noiseless at sigma 0."""
        recipe = replace(self.recipe, sigma=sigma)
        generator = self._generator()
        parts = []
        for first in range(batches):
            kept = torch.arange(first, len(self._labels), batches)
            kept = kept[kept >= forgotten]
            parts.append((self._features[kept], self._labels[kept].float()[:, None]))
        for number in range(steps):
            gradient = clipped_gradient(models, *parts[number % batches], limit=recipe.lipschitz)
            models = models - recipe.step * (gradient + recipe.strong_convexity * models)
            if sigma:
                noise = torch.randn(models.shape, generator=generator).to(models.device)
                models = models + math.sqrt(2 * recipe.step) * sigma * noise
            models = project(models, recipe.radius)
        return models

    def publish(self, models: Tensor, *, sigma: float) -> Tensor:
        """Add N(0, sigma^2 I) to every model, or to `trials` copies of one."""
        noise = torch.randn((self.trials, 1, self.dimension), generator=self._generator())
        return models + sigma * noise.to(models.device)

    def accuracy(self, models: Tensor) -> Accuracy:
        """Measure models on the test set; a logit of 0 says the first class, as argmax does."""
        found = models[:, 0] @ self._tests.T > 0  # [trials, n]
        shares = 100 * (found == self._truth.bool()).double().mean(dim=1)
        return Accuracy(float(shares.mean()), float(shares.std(correction=0)))

    def _generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(next(self._seeds))


def open_lab(dataset: str, directory: Path | None, *, trials: int, cache: Path, steps: int | None = None) -> Lab:
    """Read a dataset with true labels; the validation examples of the definition are test examples too.

    Without `steps`, learning takes the definition's number of steps. Raises BadDataset, TooFewSteps, and NoDirectory if
    a directory is needed.
    """
    scale = SCALES[dataset]
    definition = replace(find_definition(scale.definition), scenario=Random(max(scale.counts)))
    recipe = definition.recipe
    assert isinstance(recipe, NoisyDescent)
    splits = cut(definition, definition.read(directory, cache=cache)).splits
    train, test = splits.forget.joined(splits.retain), splits.validation.joined(splits.test)
    return Lab(
        train, test, scale=scale, recipe=recipe if steps is None else replace(recipe, steps=steps), trials=trials
    )


def _problem(recipe: NoisyDescent, n: int) -> ConvexProblem:
    return ConvexProblem(n, recipe.strong_convexity, recipe.smoothness, recipe.lipschitz, 1 / n)


def _tensors(examples: Examples) -> tuple[Tensor, Tensor]:
    features = unit_features(examples.inputs(slice(None)))
    return features.to(DEVICE), torch.from_numpy(examples.labels).to(DEVICE)


def _only(examples: Examples, chosen: slice) -> Examples:
    return Examples(examples.images[chosen], examples.labels[chosen], pixels=examples.pixels)
