"""Judges whether a benchmark measures forgetting.

The placebo test: one reference algorithm runs from the original model, and from models that never saw the forget set.
If it scores no better from the latter, the benchmark rewards diversity, not forgetting. An unfit benchmark is built, so
that its report can say why, but it can be neither published nor used.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.benchmarks.examples import Splits
from services.benchmarks.measuring import Trained
from services.core.bundle.manifest import Fitness

__all__ = ["MIN_PLACEBO_RATIO", "ForgettingQuality", "Placebos", "fitness_of", "forget_accuracy", "quality_of"]

Logits = NDArray[np.float32]  # [models, S, classes]
ForgettingQuality = Callable[[Logits, Logits, NDArray[np.int64]], float]

MIN_PLACEBO_RATIO = 3.0
MIN_FORGET_ACCURACY = 0.9  # of the original model, on the labels used in training
MIN_ABOVE_MAJORITY = 0.05  # how much retrained models must beat guessing the commonest class of the test set
MIN_CEILING_SHARE = 0.5  # of the F between two samples from one distribution
SMALLEST_F = 1e-6  # keeps a ratio finite


@dataclass(frozen=True, slots=True)
class Placebos:
    """F of the reference algorithm: from the original model, and from models that never saw the forget set."""

    real: float
    placebos: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The mean F from models that never saw the forget set, over F from the original model."""
        return float(np.mean(self.placebos)) / max(self.real, SMALLEST_F)


def quality_of(quality: ForgettingQuality, logits: Logits, oracle: Trained, splits: Splits) -> float:
    """Compute F of models against the same number of oracle models."""
    return quality(logits, oracle.measurements.forget_logits[: len(logits)], splits.forget.labels)


def forget_accuracy(model: Trained, splits: Splits) -> float:
    """Compute the mean accuracy of models on the forget set, with its labels used in training, wrong ones included."""
    found = model.measurements.forget_logits.argmax(axis=2)
    return float((found == splits.forget.labels).mean())


def fitness_of(
    splits: Splits,
    *,
    original: Trained,
    oracle: Trained,
    second_oracle: Trained,
    placebos: Placebos,
    quality: ForgettingQuality,
    min_placebo_ratio: float = MIN_PLACEBO_RATIO,
    certified: bool = False,
) -> Fitness:
    """Judge a benchmark by the measurements of its models; `problems` of the result lists the reasons why it is unfit.

    Certified benchmarks skip two checks. Penalty and noise keep certified training from learning every forget label,
    and its ceiling means little, because all logits of a linear model rise and fall together.
    """
    test = splits.test.labels
    learned = forget_accuracy(original, splits)
    accuracy = float((oracle.measurements.test_class == test).mean())
    majority = float(np.bincount(test).max() / len(test))
    ceiling = quality_of(quality, second_oracle.measurements.forget_logits, oracle, splits)
    expected = _expected_ceiling(quality, len(oracle.finite), len(splits.forget))
    problems = []
    if not certified and learned < MIN_FORGET_ACCURACY:
        problems.append(
            f"The original model has learned only {learned:.0%} of the forget labels, so there is too little to "
            "forget. Train longer, or use a larger model."
        )
    if placebos.ratio < min_placebo_ratio:
        problems.append(
            f"The placebo ratio is {placebos.ratio:.2f}, below {min_placebo_ratio:g}, so this benchmark would reward "
            "diversity, not forgetting. Put wrong labels into the forget set, train longer, or choose forget examples "
            "that cannot be learned from the rest."
        )
    if accuracy < majority + MIN_ABOVE_MAJORITY:
        problems.append(
            f"Retrained models reach {accuracy:.1%} on the test set, but always guessing the commonest class reaches "
            f"{majority:.1%}, so utility would mean nothing. Train longer, or on more data."
        )
    if not certified and ceiling < MIN_CEILING_SHARE * expected:
        problems.append(
            f"The second oracle gets F {ceiling:.3f} against the first, but two samples from one distribution get "
            f"{expected:.3f}, so some retrained models differ from the others. Check the spread of accuracy in the "
            "report, and lower the learning rate."
        )
    return Fitness(
        ceiling=ceiling,
        expected_ceiling=expected,
        placebo_ratio=placebos.ratio,
        original_forget_accuracy=learned,
        oracle_retain_accuracy=float(oracle.retain_accuracy.mean()),
        oracle_test_accuracy=accuracy,
        majority_share=majority,
        original_quality=placebos.real,
        placebo_qualities=placebos.placebos,
        problems=tuple(problems),
    )


def _expected_ceiling(quality: ForgettingQuality, models: int, examples: int) -> float:
    """Compute F between two samples from one normal distribution of confidences, which has no outliers."""
    generator = np.random.default_rng(0)
    sides = generator.normal(size=(2, models, examples, 2)).astype(np.float32)
    return quality(sides[0], sides[1], np.zeros(examples, dtype=np.int64))
