"""How often the alarm for dependent runs rings: simulated evaluations, honest ones and some of every cheat we know.

    python -m studies.independence           a few minutes: 100 honest evaluations, 5 of each other kind
    python -m studies.independence --full    the table of docs/scoring.md: 1,000 honest evaluations
                                            and 20 of each other kind, about 6 minutes on 2 cores
    python -m studies.independence --cost    CPU time of one test

A model's margin in an example is a sum of a few factors of the model, which examples share (30% of the variance), and
noise. A cheat makes the factors, the noise or both depend on earlier runs of the same sandbox.
"""

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from services.scorer.metrics.evidence import Runs
from services.scorer.metrics.independence import ALARM_P, Independence, examine

Array = NDArray[np.float64]
FACTORS = 4
SHARED = 0.3
FORGET, OTHERS = 60, 400
POSITIONS = 64  # of stratified draws


@dataclass(frozen=True)
class Shape:
    """How many runs, how many of them in one sandbox, and how many originals they start from."""

    runs: int
    in_sandbox: int
    originals: int = 1

    def order(self, rng: np.random.Generator) -> Runs:
        """Put runs into sandboxes; originals are dealt out at random."""
        places = np.arange(self.runs)
        originals = rng.permutation(places % self.originals) if self.originals > 1 else None
        return Runs(places // self.in_sandbox, places % self.in_sandbox, originals)


Draw = Callable[[np.random.Generator, Shape, int], Array]  # standard normal values [runs, dimensions]


def independent(rng: np.random.Generator, shape: Shape, dimensions: int) -> Array:
    """Draw honestly."""
    return rng.normal(size=(shape.runs, dimensions))


@dataclass(frozen=True)
class Carried:
    """Draws that keep a share of the previous run of the same sandbox."""

    weight: float

    def __call__(self, rng: np.random.Generator, shape: Shape, dimensions: int) -> Array:
        """Draw a stationary sequence in each sandbox."""
        values = rng.normal(size=(shape.runs, dimensions))
        for run in range(shape.runs):
            if run % shape.in_sandbox:
                values[run] = self.weight * values[run - 1] + np.sqrt(1 - self.weight**2) * values[run]
        return values


def trained_on(rng: np.random.Generator, shape: Shape, dimensions: int) -> Array:
    """Walk: every run begins where the previous one of its sandbox ended."""
    steps = rng.normal(size=(shape.runs, dimensions))
    starts = np.arange(0, shape.runs, shape.in_sandbox)
    walk = np.concatenate([steps[start : start + shape.in_sandbox].cumsum(axis=0) for start in starts])
    return np.asarray(walk / np.sqrt(shape.in_sandbox / 2))


def stratified(rng: np.random.Generator, shape: Shape, dimensions: int) -> Array:
    """Draw once from each of 64 equal shares of the distribution, in a secret order that all sandboxes share."""
    order = rng.permuted(np.tile(np.arange(POSITIONS), (dimensions, 1)), axis=1).T
    shares = order[(np.arange(shape.runs) % shape.in_sandbox) % POSITIONS]
    return np.asarray(stats.norm.ppf((shares + rng.random(shares.shape)) / POSITIONS))


def antithetic(rng: np.random.Generator, shape: Shape, dimensions: int) -> Array:
    """Make every other run the mirror image of the one before."""
    values = rng.normal(size=(shape.runs, dimensions))
    values[1::2] = -values[: shape.runs // 2 * 2 : 2]
    return values


@dataclass(frozen=True)
class Entry:
    """What an entry draws for the shared factors and for the noise of examples."""

    name: str
    factors: Draw
    noise: Draw = independent

    def margins(self, rng: np.random.Generator, shape: Shape, runs: Runs) -> Array:
        """Draw margins [runs, examples]."""
        examples = FORGET + OTHERS
        loadings = rng.normal(size=(FACTORS, examples)) * np.sqrt(SHARED / FACTORS)
        result = self.factors(rng, shape, FACTORS) @ loadings
        result += np.sqrt(1 - SHARED) * self.noise(rng, shape, examples)
        if runs.original is not None:
            result += rng.normal(size=(shape.originals, examples))[runs.original]
        return np.asarray(result)


HONEST = Entry("honest", independent)
HOSTILE = (
    Entry("one model trained on through all runs", trained_on, trained_on),
    *(Entry(f"state carried with weight {rho}", Carried(rho), Carried(rho)) for rho in (0.6, 0.3, 0.1)),
    *(Entry(f"weight {rho}, factors alone", Carried(rho)) for rho in (0.6, 0.3, 0.1)),
    Entry("stratified over 64 positions", stratified, stratified),
    Entry("stratified, factors alone", stratified),
    Entry("mirrored pairs, factors alone", antithetic),
)
SHAPES = {
    "512 in sandboxes of 64": Shape(512, 64),
    "128 in sandboxes of 16": Shape(128, 16),
}


def examined(entry: Entry, shape: Shape, seed: int) -> Independence:
    """Simulate one evaluation and test it."""
    rng = np.random.default_rng([seed, shape.runs, shape.in_sandbox, shape.originals])
    runs = shape.order(rng)
    margins = entry.margins(rng, shape, runs)
    found = examine(margins[:, :FORGET], [margins[:, FORGET:]], runs, key=rng.bytes(32))
    assert found is not None
    return found


def alarms(entry: Entry, shape: Shape, evaluations: int) -> int:
    """Count alarms in simulated evaluations."""
    return sum(examined(entry, shape, seed).p_value <= ALARM_P for seed in range(evaluations))


def print_table(honest: int, hostile: int) -> None:
    """Print how many evaluations ring, by entry and shape."""
    print("| entry | " + " | ".join(SHAPES) + " |")
    print("|---|" + "---|" * len(SHAPES))
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        rows = {
            entry: [
                pool.submit(alarms, entry, shape, honest if entry is HONEST else hostile) for shape in SHAPES.values()
            ]
            for entry in (HONEST, *HOSTILE)
        }
        for entry, cells in rows.items():
            count = honest if entry is HONEST else hostile
            print(f"| {entry.name} | {' | '.join(f'{cell.result()} of {count:,}' for cell in cells)} |", flush=True)


def print_cost() -> None:
    """Print the CPU time of one test, of an honest and of a hostile evaluation of 512 runs."""
    for examples in (FORGET, 1000):
        for entry in (HONEST, HOSTILE[0]):
            rng = np.random.default_rng(0)
            shape = SHAPES["512 in sandboxes of 64"]
            runs = shape.order(rng)
            margins = np.tile(entry.margins(rng, shape, runs), (1, 1 + examples // FORGET))
            examine(margins[:32, :FORGET], [], Runs(np.arange(32) // 32, np.arange(32)), key=bytes(32))  # compiles
            started = time.process_time()
            examine(margins[:, :examples], [margins[:, -OTHERS:]], runs, key=bytes(32))
            print(f"{entry.name}, {examples} forget examples: {time.process_time() - started:.2f} s")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="the table of docs/scoring.md")
    parser.add_argument("--cost", action="store_true", help="CPU time of one test")
    options = parser.parse_args()
    if options.cost:
        print_cost()
    else:
        print_table(*((1000, 20) if options.full else (100, 5)))


if __name__ == "__main__":
    main()
