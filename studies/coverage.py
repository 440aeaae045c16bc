"""Do the intervals of the metrics that are registered hold the truth, in worlds harder than those of calibration?

    python -m studies.coverage            a few minutes: few evaluations, the smaller sizes
    python -m studies.coverage --full     the table of docs/calibration.md: about an hour on 2 cores

Whole evaluations are simulated, with test and retained examples, a second oracle and eight originals, and scored by
every metric as the scorer does. A model's margin of an example is the example's middle plus noise of unit variance: a
factor that all examples of the model share (its part is the *correlation*), and a part of its own, in one mode or two.
An original adds to each forget example what it remembers, and to every example a deviation of its own. An entry keeps
a part of both. The truth is the mean over fresh evaluations: other runs, other oracles, other originals.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from services.scorer.metrics import METRICS, Estimate, Evidence, Models, Predictions
from studies.arguments import at_least

__all__ = ["ENTRIES", "NOISES", "Entry", "Noise", "World", "coverage", "main"]

ORIGINALS, CONTROLS = 8, 200  # CONTROLS examples of the test set, and as many of the retain set
REMEMBERED = 4.0  # mean shift of a forget example in an original, in standard deviations
OWN_OF_ORIGINAL = 0.5  # standard deviation of what one original adds to any example
MODE = 0.9  # distance of both modes from their middle; the variance of all noise stays 1

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Noise:
    """How the margins of one model vary together, and in which form."""

    name: str
    correlation: float  # of two examples' margins over models, 0 to 1
    bimodal: bool = False

    def draw(self, random: np.random.Generator, models: int, examples: int) -> Array:
        """Draw noise of unit variance, [models, examples]."""
        own = random.normal(size=(models, examples))
        if self.bimodal:
            own = own * np.sqrt(1 - MODE**2) + MODE * random.choice([-1.0, 1.0], size=(models, examples))
        shared = random.normal(size=(models, 1))
        return np.asarray(np.sqrt(self.correlation) * shared + np.sqrt(1 - self.correlation) * own)


@dataclass(frozen=True, slots=True)
class Entry:
    """An unlearning algorithm: which parts of its original it keeps."""

    name: str
    memory: float  # of what the original remembers, 0 to 1
    drift: float  # of what the original adds to every example, 0 to 1


NOISES = (Noise("plain", 0.1), Noise("0.8", 0.8), Noise("0.99", 0.99), Noise("two modes", 0.1, bimodal=True))
ENTRIES = (Entry("retrained", 0, 0), Entry("drifted", 0, 1), Entry("half forgotten", 0.5, 1), Entry("hardly", 0.9, 1))
QUICK = tuple(product((64,), (5, 20)))  # models, forget examples
FULL = tuple(product((64, 256), (5, 20, 60)))


class World:
    """One benchmark: the middles of its examples, and how much each forget example is remembered."""

    def __init__(self, random: np.random.Generator, models: int, forget: int, noise: Noise) -> None:
        self.random, self.models, self.forget, self.noise = random, models, forget, noise
        self.middle = random.normal(3, 2, forget + 2 * CONTROLS)
        self.remembered = np.zeros(len(self.middle))
        self.remembered[:forget] = REMEMBERED * random.uniform(0.4, 1.6, forget)

    def evaluate(self, entry: Entry) -> Evidence:
        """Draw one evaluation of an entry, with everything that a scorer is given."""
        of_originals = OWN_OF_ORIGINAL * self.random.normal(size=(ORIGINALS, len(self.middle)))
        starts = self.random.permutation(np.arange(self.models) % ORIGINALS)
        kept = entry.memory * self.remembered + entry.drift * of_originals[starts]
        return Evidence(
            unlearned=self._measured(self._retrained() + kept),
            oracle=self._measured(self._retrained()),
            second_oracle=self._measured(self._retrained()),
            originals=self._measured(self._retrained()[:ORIGINALS] + self.remembered + of_originals),
            starts=starts,
            forget_labels=np.zeros(self.forget, dtype=np.int64),
            test_labels=np.zeros(CONTROLS, dtype=np.int64),
        )

    def _retrained(self) -> Array:
        return self.middle + self.noise.draw(self.random, self.models, len(self.middle))

    def _measured(self, margins: Array) -> Models:
        """Two classes, so that a margin is the first logit."""
        forget, test, probe = np.split(margins, [self.forget, self.forget + CONTROLS], axis=1)
        accuracies = np.full(len(margins), 0.9)
        logits = np.stack([forget, np.zeros_like(forget)], axis=-1)
        return Models(logits, accuracies, accuracies, test=_predicted(test), probe=_predicted(probe))


def _predicted(margins: Array) -> Predictions:
    entropies = np.exp(-np.abs(margins)).astype(np.float16)
    return Predictions((margins < 0).astype(np.uint8), margins.astype(np.float32), entropies)


@dataclass(frozen=True, slots=True)
class Row:
    """How often the interval of a metric held the truth, in one setting."""

    metric: str
    models: int
    forget: int
    noise: str
    entry: str
    truth: float
    held: float  # share of evaluations, 0 to 1
    width: float  # mean width of an interval


def coverage(models: int, forget: int, noise: Noise, entry: Entry, *, count: int, seed: int) -> Iterator[Row]:
    """Simulate `count` evaluations of one setting; the truth of each is the mean of all others."""
    world = World(np.random.default_rng([seed, models, forget]), models, forget, noise)
    found: dict[str, list[Estimate]] = {name: [] for name in METRICS}
    for _ in range(count):
        evidence = world.evaluate(entry)
        for name, metric in METRICS.items():
            found[name].append(metric(evidence).forgetting_quality)
    for name, estimates in found.items():
        values = np.array([estimate.value for estimate in estimates])
        truths = (values.sum() - values) / (count - 1)
        held = [one.low <= truth <= one.high for one, truth in zip(estimates, truths, strict=True)]
        width = float(np.mean([one.high - one.low for one in estimates]))
        yield Row(name, models, forget, noise.name, entry.name, float(values.mean()), float(np.mean(held)), width)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line for each metric, size and noise: coverage over all entries, and that of the worst."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="every size, 100 evaluations each")
    parser.add_argument("--count", type=at_least(10), help="evaluations in each setting; default: 30, or 100")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    count = options.count or (100 if options.full else 30)
    settings = list(product(FULL if options.full else QUICK, NOISES, ENTRIES))
    rows: list[Row] = []
    for size, noise_of, entry in track(settings, "Simulating", console=Console(stderr=True)):
        rows += coverage(*size, noise_of, entry, count=count, seed=options.seed)
    print("| metric | N | S | noise | coverage | worst entry | its coverage | mean width |")
    print("|---|---|---|---|---|---|---|---|")
    kinds = product(METRICS, FULL if options.full else QUICK, (noise.name for noise in NOISES))
    for name, (models, forget), noise in kinds:
        these = [
            row for row in rows if (row.metric, row.models, row.forget, row.noise) == (name, models, forget, noise)
        ]
        worst = min(these, key=lambda row: row.held)
        held, width = np.mean([row.held for row in these]), np.mean([row.width for row in these])
        cells = (f"`{name}`", models, forget, noise, f"{held:.0%}", worst.entry, f"{worst.held:.0%}", f"{width:.3f}")
        print(f"| {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    main()
