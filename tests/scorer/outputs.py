"""Outputs of models that share some memory of a forget set, and drift, as draws from known distributions."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics import Evidence, Models, Predictions

__all__ = ["World"]

Array = NDArray[np.float64]
FACTORS = 4


@dataclass
class World:
    """Two classes, so that a margin is the first logit. A model's margins share a few factors, as networks' do."""

    seed: int = 0
    forget: int = 60
    controls: int = 300
    memory: float = 6.0  # mean shift of memorised examples in the original, in standard deviations
    drift: float = 1.0  # of the original against retrained models, on every example
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        examples = self.forget + 2 * self.controls
        self.middle = self.rng.normal(4, 2, examples)
        self.middle[: self.forget // 5] = -5  # labels that only memory explains
        self.loadings = self.rng.normal(size=(FACTORS, examples)) * np.sqrt(0.3 / FACTORS)
        self.offset = np.zeros(examples)
        self.offset[: self.forget] = self.memory * self.rng.uniform(0.2, 2.5, self.forget)
        self.moved = self.drift * self.rng.normal(size=examples)

    def retrained(self, models: int) -> Array:
        """Draw margins [models, forget + test + probe]."""
        noise = self.rng.normal(size=(models, FACTORS)) @ self.loadings
        noise += np.sqrt(0.7) * self.rng.normal(size=(models, len(self.middle)))
        return np.asarray(self.middle + noise)

    def unlearned(self, models: int, *, remembered: float = 0.0, share: float | None = None) -> Array:
        """Draw margins of an entry that starts from the original; `share` of the examples is remembered in full."""
        kept = np.full(len(self.middle), remembered)
        if share is not None:
            kept[: self.forget] = np.arange(self.forget) * 7 % 20 < 20 * share
        return np.asarray(self.retrained(models) + kept * self.offset + self.moved)

    def models(self, margins: Array) -> Models:
        """Make models with these margins."""
        forget, test, probe = np.split(margins, [self.forget, self.forget + self.controls], axis=1)
        accuracies = np.full(len(margins), 0.9)
        return Models(
            np.stack([forget, np.zeros_like(forget)], axis=-1),
            accuracies,
            accuracies,
            test=_predictions(test),
            probe=_predictions(probe),
        )

    def evidence(self, unlearned: Array, *, oracle: int = 128, **more: Any) -> Evidence:
        """Put an entry beside an oracle, a second oracle and the original model."""
        return Evidence(
            unlearned=self.models(unlearned),
            oracle=self.models(self.retrained(oracle)),
            forget_labels=np.zeros(self.forget, dtype=np.int64),
            second_oracle=self.models(self.retrained(oracle)),
            originals=self.models((self.middle + self.offset + self.moved)[None]),
            test_labels=np.zeros(self.controls, dtype=np.int64),
            **more,
        )


def _predictions(margins: Array) -> Predictions:
    entropies = np.exp(-np.abs(margins)).astype(np.float16)
    return Predictions((margins < 0).astype(np.uint8), margins.astype(np.float32), entropies)
