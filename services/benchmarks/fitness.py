"""Whether a benchmark measures forgetting at all.

The placebo: one reference algorithm (noise on every weight, then an epoch on the retain set) runs from the original
model, and from models that never saw the forget set. Where the placebo scores no better, the benchmark rewards
diversity, not forgetting, and is refused.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from services.benchmarks.lockstep import Build, Stacked, repeat, stacked_logits, train
from services.benchmarks.oracle import Splits, derive_seeds
from services.benchmarks.recipes import Recipe
from services.core.bundle import Fitness
from services.core.errors import BadInput
from services.core.measurements import Measurements

__all__ = ["MIN_PLACEBO_RATIO", "ForgettingQuality", "UnfitBenchmark", "check_fitness"]

Logits = NDArray[np.float32]  # [models, S, classes]
ForgettingQuality = Callable[[Logits, Logits, NDArray[np.int64]], float]

MIN_PLACEBO_RATIO = 3.0
MIN_FORGET_ACCURACY = 0.9  # of the original, on the labels it was trained with
PLACEBO_NOISE = 0.03  # standard deviation
PLACEBO_RECIPE = Recipe(epochs=1, batch_size=64, learning_rate=0.05, momentum=0.0)
PLACEBO_ORIGINALS = 3


class UnfitBenchmark(BadInput):
    code = "unfit_benchmark"


class FitnessCheck:
    """Everything the check needs of a benchmark being built."""

    def __init__(
        self,
        build: Build,
        splits: Splits,
        oracle: Measurements,
        *,
        secret: bytes,
        forgetting_quality: ForgettingQuality,
    ) -> None:
        self._build = build
        self._splits = splits
        self._oracle = oracle
        self._secret = secret
        self._quality = forgetting_quality

    def quality(self, models: Stacked) -> float:
        """Compute F of models against the oracle."""
        forget = self._splits["forget"]
        logits = stacked_logits(self._build, models, torch.from_numpy(forget["image"])).numpy()
        return self._quality(logits, self._oracle.forget_logits, forget["label"])

    def placebo_quality(self, start: Stacked, label: str) -> float:
        """Compute F of the reference algorithm, run from one model as often as the oracle has models."""
        seeds = derive_seeds(self._secret, label, len(self._oracle))
        retain = self._splits["retain"]
        models = repeat({name: value[0] for name, value in start.items()}, len(seeds))
        generator = torch.Generator().manual_seed(seeds[0])
        noisy = {
            name: value + PLACEBO_NOISE * torch.randn(value.shape, generator=generator)
            for name, value in models.items()
        }
        images, labels = torch.from_numpy(retain["image"]), torch.from_numpy(retain["label"])
        return self.quality(train(self._build, noisy, images=images, labels=labels, seeds=seeds, recipe=PLACEBO_RECIPE))


def check_fitness(
    build: Build,
    splits: Splits,
    original: Stacked,
    *,
    oracle: Measurements,
    second_oracle: Stacked,
    secret: bytes,
    forgetting_quality: ForgettingQuality,
    min_placebo_ratio: float = MIN_PLACEBO_RATIO,
) -> Fitness:
    """Measure a benchmark's fitness. Raises UnfitBenchmark, saying what to change, when it is not fit."""
    check = FitnessCheck(build, splits, oracle, secret=secret, forgetting_quality=forgetting_quality)
    forget = splits["forget"]
    forget_logits = stacked_logits(build, original, torch.from_numpy(forget["image"])).numpy()
    forget_accuracy = float((forget_logits[0].argmax(axis=1) == forget["label"]).mean())
    if forget_accuracy < MIN_FORGET_ACCURACY:
        raise UnfitBenchmark(
            f"The original model has learned only {forget_accuracy:.0%} of the forget labels: there is too little to "
            "forget. Train longer, or use a larger model."
        )
    real = check.placebo_quality(original, "placebo-original")
    placebos = [
        check.placebo_quality(_one(second_oracle, index), f"placebo-{index}") for index in range(PLACEBO_ORIGINALS)
    ]
    ratio = float(np.mean(placebos)) / max(real, 1e-6)
    if ratio < min_placebo_ratio:
        raise UnfitBenchmark(
            f"The placebo ratio is {ratio:.2f}, below {min_placebo_ratio:g}: this benchmark would reward diversity, "
            "not forgetting. Put more wrong labels into the forget set, or train longer."
        )
    retain_correct = np.unpackbits(oracle.retain_correct, axis=1, count=len(splits["retain"]["label"]))
    return Fitness(
        ceiling=check.quality(second_oracle),
        placebo_ratio=ratio,
        original_forget_accuracy=forget_accuracy,
        oracle_retain_accuracy=float(retain_correct.mean()),
        oracle_test_accuracy=float((oracle.test_class == splits["test"]["label"]).mean()),
    )


def _one(models: Stacked, index: int) -> Stacked:
    return {name: value[index : index + 1] for name, value in models.items()}
