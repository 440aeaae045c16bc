"""Whether a benchmark measures forgetting at all.

The placebo: one reference algorithm runs from the original model, and from models that never saw the forget set. Where
the placebo scores no better, the benchmark rewards diversity, not forgetting. An unfit benchmark is built, so that its
report can say why, but neither published nor evaluated on.
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
MIN_FORGET_ACCURACY = 0.9  # of the original, on the labels it was trained with
MIN_ABOVE_MAJORITY = 0.05  # by which retrained models beat guessing the commonest class of the test set
MIN_CEILING_SHARE = 0.5  # of the F that two samples of one distribution get from each other
SMALLEST_F = 1e-6  # keeps a ratio finite


@dataclass(frozen=True, slots=True)
class Placebos:
    """F of the reference algorithm: from the original model, and from models that never saw the forget set."""

    real: float
    placebos: tuple[float, ...]

    @property
    def ratio(self) -> float:
        return float(np.mean(self.placebos)) / max(self.real, SMALLEST_F)


def quality_of(quality: ForgettingQuality, logits: Logits, oracle: Trained, splits: Splits) -> float:
    """Compute F of models against as many of the oracle's."""
    return quality(logits, oracle.measurements.forget_logits[: len(logits)], splits.forget.labels)


def forget_accuracy(model: Trained, splits: Splits) -> float:
    """Say how much of the forget set models have learned on average, wrong labels included."""
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
    """Judge a benchmark by what was measured of its models; what is wrong with it stands in `problems`.

    Certified learning need not learn every forget label: penalty and noise forbid it. Nor does its ceiling say much:
    all logits of a linear model rise and fall together.
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
            f"The original model has learned only {learned:.0%} of the forget labels: there is too little to forget. "
            "Train longer, or use a larger model."
        )
    if placebos.ratio < min_placebo_ratio:
        problems.append(
            f"The placebo ratio is {placebos.ratio:.2f}, below {min_placebo_ratio:g}: this benchmark would reward "
            "diversity, not forgetting. Put wrong labels into the forget set, train longer, or forget what cannot be "
            "learned from the rest."
        )
    if accuracy < majority + MIN_ABOVE_MAJORITY:
        problems.append(
            f"Retrained models reach {accuracy:.1%} on the test set, where always guessing the commonest class reaches "
            f"{majority:.1%}: utility would say nothing. Train longer, or on more data."
        )
    if not certified and ceiling < MIN_CEILING_SHARE * expected:
        problems.append(
            f"A second oracle gets F {ceiling:.3f} from the first, where two samples of one distribution get "
            f"{expected:.3f}: some retrained models are unlike the others. Look at the spread of accuracy in the "
            "report; lower the learning rate."
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
    """Compute F between two samples of one normal distribution of confidences, which knows no outliers."""
    generator = np.random.default_rng(0)
    sides = generator.normal(size=(2, models, examples, 2)).astype(np.float32)
    return quality(sides[0], sides[1], np.zeros(examples, dtype=np.int64))
