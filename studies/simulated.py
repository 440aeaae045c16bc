"""Simulated evaluations about which the truth is known: a forget set with controls, originals, entries, oracles.

A margin of an example is the example's middle plus noise of unit variance over models, part of it shared by examples.
An *original* adds to each forget example what it remembers, and to every example a deviation of its own. An *entry*
keeps a part of both. `studies.coverage`, `studies.originals` and the tests of the scorer draw their worlds from these
parts.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.core.bundle.directory import start_of
from services.scorer.metrics import Evidence, Models, Predictions

__all__ = ["Entry", "Noise", "Originals", "World"]

MODE = 0.9  # distance of both modes from their middle; the variance of all noise stays 1
ACCURACY = 0.9  # of every model, so that utility is 1

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Noise:
    """How the margins of one model vary together, and in which form."""

    name: str
    correlation: float  # part of the variance that examples share, 0 to 1
    factors: int = 0  # in which each example has its own part; 0: one factor, which moves all examples alike
    bimodal: bool = False

    def loadings(self, random: np.random.Generator, examples: int) -> Array:
        """Draw each example's part in the shared factors, [factors, examples]."""
        if self.factors == 0:
            return np.full((1, examples), np.sqrt(self.correlation))
        return np.asarray(random.normal(size=(self.factors, examples)) * np.sqrt(self.correlation / self.factors))

    def draw(self, random: np.random.Generator, models: int, loadings: Array) -> Array:
        """Draw noise of unit variance, on average over examples, [models, examples]."""
        shared = random.normal(size=(models, len(loadings))) @ loadings
        own = random.normal(size=(models, loadings.shape[1]))
        if self.bimodal:
            own = own * np.sqrt(1 - MODE**2) + MODE * random.choice([-1.0, 1.0], size=own.shape)
        return np.asarray(shared + np.sqrt(1 - self.correlation) * own)


@dataclass(frozen=True, slots=True)
class Entry:
    """An unlearning algorithm: what its models keep of their original."""

    name: str
    kept: float  # share of what the original remembers
    drift: float  # share of what the original adds to every example
    differs: float = 0.0  # standard deviation of `kept` over originals
    noise: float = 1.0  # of runs of one original, in standard deviations of retrained models; 0 if they are all equal


@dataclass(frozen=True, slots=True)
class Originals:
    """K original models: what each adds to the middles."""

    known: Array  # [K, examples], what it remembers
    moved: Array  # [K, examples], its deviation on every example
    margins: Array  # [K, examples]


@dataclass(eq=False)
class World:
    """One benchmark. Examples are forget examples, then test examples, then probed retain examples."""

    random: np.random.Generator
    noise: Noise
    forget: int
    test: int
    middle: Array  # [examples]
    loadings: Array  # [factors, examples]
    remembered: Array  # [examples], mean shift of a forget example in an original, in standard deviations; 0 for others
    subjects: NDArray[np.int64] | None = None  # [forget]

    def retrained(self, models: int, spread: float = 1.0) -> Array:
        """Draw margins of retrained models, [models, examples]."""
        return np.asarray(self.middle + spread * self.noise.draw(self.random, models, self.loadings))

    def learn(self, originals: int, *, deviation: float, uneven: float = 0.0, noisy: bool = False) -> Originals:
        """Draw originals: they differ by `uneven` in what they remember; `noisy` ones also vary as retrained models."""
        known = np.tile(self.remembered, (originals, 1))
        known[:, : self.forget] *= np.maximum(1 + uneven * self.random.normal(size=(originals, self.forget)), 0)
        moved = deviation * self.random.normal(size=known.shape)
        return Originals(known, moved, self.retrained(originals, float(noisy)) + known + moved)

    def evaluate(self, entry: Entry, originals: Originals, models: int) -> Evidence:
        """Draw runs of an entry, spread over originals, and as many models of two oracles."""
        count = len(originals.known)
        starts = np.array([start_of(seed, count) for seed in range(models)])
        kept = entry.kept + entry.differs * self.random.normal(size=(count, 1))
        runs = self.retrained(models, entry.noise) + (kept * originals.known + entry.drift * originals.moved)[starts]
        alike = starts if entry.noise == 0 else np.arange(models)
        return self.against(
            self.models(runs, alike), originals.margins, oracle=models, starts=starts if count > 1 else None
        )

    def against(self, unlearned: Models, originals: Array, *, oracle: int, **more: Any) -> Evidence:
        """Put an entry beside an oracle, a second oracle and originals with margins [K, examples]."""
        return Evidence(
            unlearned=unlearned,
            oracle=self.models(self.retrained(oracle)),
            forget_labels=np.zeros(self.forget, dtype=np.int64),
            second_oracle=self.models(self.retrained(oracle)),
            originals=self.models(originals),
            test_labels=np.zeros(self.test, dtype=np.int64),
            **{"subjects": self.subjects, **more},
        )

    def models(self, margins: Array, alike: NDArray[np.int64] | None = None) -> Models:
        """Make models of two classes with margins [models, examples]; those of one number in `alike` are copies."""
        forget, test, probe = np.split(margins, [self.forget, self.forget + self.test], axis=1)
        accuracies = np.full(len(margins), ACCURACY)
        return Models(
            np.stack([forget, np.zeros_like(forget)], axis=-1),  # so that a margin is the first logit
            accuracies,
            accuracies,
            test=_predictions(test),
            probe=_predictions(probe),
            checkpoint_sha256=None if alike is None else np.repeat(alike[:, None], 32, axis=1).astype(np.uint8),
        )


def _predictions(margins: Array) -> Predictions:
    entropies = np.exp(-np.abs(margins)).astype(np.float16)
    return Predictions((margins < 0).astype(np.uint8), margins.astype(np.float32), entropies)
