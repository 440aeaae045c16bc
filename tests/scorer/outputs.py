"""A small simulated benchmark with one original, for tests of the scorer."""

from typing import Any

import numpy as np

from services.scorer.metrics import Evidence
from studies import simulated
from studies.simulated import Array, Noise

__all__ = ["Array", "World"]

NOISE = Noise("factors", 0.3, factors=4)  # networks' margins share a few


class World(simulated.World):
    """A benchmark drawn from a seed. Its original remembers the forget set and drifts on every example.

    `memory` is the mean shift of memorised examples in the original, `drift` its deviation on every example, both in
    standard deviations of retrained models.
    """

    def __init__(
        self, seed: int = 0, *, forget: int = 60, controls: int = 300, memory: float = 6.0, drift: float = 1.0
    ) -> None:
        rng = np.random.default_rng(seed)
        examples = forget + 2 * controls
        middle = rng.normal(4, 2, examples)
        middle[: forget // 5] = -5  # labels that only memory explains
        loadings = NOISE.loadings(rng, examples)
        self.seed, self.rng, self.offset = seed, rng, np.zeros(examples)
        self.offset[:forget] = memory * rng.uniform(0.2, 2.5, forget)
        self.moved = drift * rng.normal(size=examples)
        super().__init__(rng, NOISE, forget, controls, middle, loadings, self.offset)

    def unlearned(self, models: int, *, remembered: float = 0.0, share: float | None = None) -> Array:
        """Draw margins of an entry that starts from the original; `share` of the examples is remembered in full."""
        kept = np.full(len(self.middle), remembered)
        if share is not None:
            kept[: self.forget] = np.arange(self.forget) * 7 % 20 < 20 * share
        return np.asarray(self.retrained(models) + kept * self.offset + self.moved)

    def evidence(self, unlearned: Array, *, oracle: int = 128, **more: Any) -> Evidence:
        """Put margins of an entry beside an oracle, a second oracle and the original model."""
        original = (self.middle + self.offset + self.moved)[None]
        return self.against(self.models(unlearned), original, oracle=oracle, **more)
