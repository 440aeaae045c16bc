"""Does a 95% interval hold the truth 95% of the time? Simulated evaluations whose truth is known.

    python -m studies.calibration           a few minutes: the smaller sizes, fewer evaluations
    python -m studies.calibration --full    the tables of docs/calibration.md: about 40 minutes on 2 cores

A model's confidence in an example is the example's centre + a factor of the model that all examples share (10% of the
variance) + a factor of model and subject (20%) + noise. Unlearned models are also shifted by a number of standard
deviations, more for some subjects than for others, or have a different spread. The truth is the mean of F over fresh
evaluations: with fixed examples for re-runs, with fresh subjects for generalisation.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from services.core.board.paired import HalvedScore, compare
from services.scorer.metrics import Estimate, epsilons, points_of
from services.scorer.metrics.bounds import DELTA as BOUND_DELTA
from services.scorer.metrics.bounds import certified_bounds
from services.scorer.metrics.gaussian import gaussian_epsilons, hockey_stick, normal_epsilons
from services.scorer.metrics.lethe_1 import TRIM
from services.scorer.metrics.uncertainty import OFFSET, SPLITS, between_subjects, error_of_halves, half_points, interval

Array = NDArray[np.float64]
MODEL_SHARE, SUBJECT_SHARE = 0.1, 0.2
EXAMPLES_PER_SUBJECT = 4
GROUPS = 16  # of the jackknife
RESAMPLES = 32  # of the bootstrap
SMALL = 100  # examples, up to which every method is tried


@dataclass(frozen=True)
class Shape:
    """The difference between unlearned and retrained models."""

    name: str
    shift: float  # mean, in standard deviations
    spread: float  # of the shift over subjects
    scale: float


SHAPES = (
    Shape("alike", 0.0, 0.0, 1.0),
    Shape("near", 0.2, 0.1, 1.0),
    Shape("shifted", 0.6, 0.3, 1.0),
    Shape("far", 1.5, 0.5, 1.0),
    Shape("narrow", 0.1, 0.1, 0.8),
)
QUICK = ((64, 20, 100), (64, 60, 100), (256, 60, 60))  # models, examples, evaluations of each shape
FULL = (
    (64, 20, 100),
    (64, 100, 100),
    (128, 60, 100),
    (256, 100, 100),
    (512, 20, 100),
    (512, 60, 100),
    (512, 200, 60),
    (512, 500, 40),
)


@dataclass(frozen=True)
class World:
    """One benchmark: how far each subject's examples are from forgotten."""

    models: int
    shape: Shape
    subjects: NDArray[np.int64]  # [S]
    shifts: Array  # [S]

    @classmethod
    def draw(cls, rng: np.random.Generator, models: int, examples: int, shape: Shape) -> "World":
        subjects = np.arange(examples) // EXAMPLES_PER_SUBJECT
        own = shape.shift + shape.spread * rng.normal(size=subjects.max() + 1)
        return cls(models, shape, subjects, own[subjects])

    def retrained(self, rng: np.random.Generator) -> Array:
        shared = rng.normal(size=(self.models, 1)) * np.sqrt(MODEL_SHARE)
        by_subject = rng.normal(size=(self.models, self.subjects.max() + 1)) * np.sqrt(SUBJECT_SHARE)
        noise = rng.normal(size=(self.models, len(self.subjects))) * np.sqrt(1 - MODEL_SHARE - SUBJECT_SHARE)
        return np.asarray(shared + by_subject[:, self.subjects] + noise)

    def unlearned(self, rng: np.random.Generator) -> Array:
        return self.shifts + self.shape.scale * self.retrained(rng)


def published(unlearned: Array, retrained: Array, models: int) -> Array:
    return points_of(epsilons(unlearned, retrained), models)


def robust(unlearned: Array, retrained: Array, models: int) -> Array:
    return points_of(epsilons(unlearned, retrained, trim=TRIM), models)


def ours(points: Array, halves: Array, _world: World) -> Estimate:
    return interval(float(points.mean()), error_of_halves(halves.mean(axis=2)))


def generalisation(points: Array, halves: Array, world: World) -> Estimate:
    error = np.hypot(error_of_halves(halves.mean(axis=2)), between_subjects(points, halves, world.subjects))
    groups = int(world.subjects.max()) + 1
    return interval(float(points.mean()), float(error), freedom=min(groups, SPLITS) - 1)


def plain_t(points: Array, halves: Array, _world: World) -> Estimate:
    reach = stats.t.ppf(0.975, SPLITS - 1) * error_of_halves(halves.mean(axis=2))
    return Estimate(points.mean(), points.mean() - reach, points.mean() + reach)


def root_t(points: Array, halves: Array, _world: World) -> Estimate:
    root = np.sqrt(points.mean() + OFFSET)
    reach = stats.t.ppf(0.975, SPLITS - 1) * error_of_halves(halves.mean(axis=2)) / (2 * root)
    return Estimate(points.mean(), max(root - reach, 0) ** 2 - OFFSET, (root + reach) ** 2 - OFFSET)


def half_sampling(points: Array, halves: Array, _world: World) -> Estimate:
    every = halves.mean(axis=2).ravel()
    low, high = np.quantile(every - every.mean(), [0.025, 0.975])
    return Estimate(points.mean(), points.mean() + low, points.mean() + high)


def jackknife(rng: np.random.Generator, unlearned: Array, retrained: Array, value: float) -> Estimate:
    models = len(unlearned)
    group, other = rng.permutation(models) % GROUPS, rng.permutation(models) % GROUPS
    left = [published(unlearned[group != g], retrained[other != g], models).mean() for g in range(GROUPS)]
    error = np.sqrt((GROUPS - 1) / GROUPS * ((left - np.mean(left)) ** 2).sum())
    reach = stats.t.ppf(0.975, GROUPS - 1) * error
    return Estimate(value, value - reach, value + reach)


def bootstrap(rng: np.random.Generator, unlearned: Array, retrained: Array, value: float) -> Estimate:
    models = len(unlearned)
    again = [
        published(unlearned[rng.integers(0, models, models)], retrained[rng.integers(0, models, models)], models).mean()
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(again - np.mean(again), [0.025, 0.975])
    return Estimate(value, value + low, value + high)


RERUN: dict[str, Callable[[Array, Array, World], Estimate]] = {
    "halves, log scale (ours)": ours,
    "halves, plain t": plain_t,
    "halves, root scale": root_t,
    "half-sampling, quantiles": half_sampling,
}
RESAMPLING = {"jackknife of 16 groups": jackknife, "bootstrap, recentred": bootstrap}


class Tally:
    """The coverage of intervals, their width, and the bias of their middle."""

    def __init__(self) -> None:
        self.held: dict[str, list[bool]] = {}
        self.width: dict[str, list[float]] = {}
        self.bias: dict[str, list[float]] = {}

    def add(self, name: str, estimate: Estimate, truth: float) -> None:
        self.held.setdefault(name, []).append(bool(estimate.low <= truth <= estimate.high))
        self.width.setdefault(name, []).append((estimate.high - estimate.low) / max(truth, OFFSET))
        self.bias.setdefault(name, []).append(((estimate.low + estimate.high) / 2 - truth) / max(truth, OFFSET))

    def __iter__(self) -> Iterator[tuple[str, float, float, float]]:
        for name, held in self.held.items():
            yield name, float(np.mean(held)), float(np.mean(self.width[name])), float(np.mean(self.bias[name]))


def one_setting(rng: np.random.Generator, models: int, examples: int, shape: Shape, count: int) -> tuple[Tally, float]:
    """Run evaluations in one setting; return coverage by method, and the share of false separations by paired tests."""
    tally, separated = Tally(), []
    world = World.draw(rng, models, examples, shape)
    fresh = [published(world.unlearned(rng), world.retrained(rng), models).mean() for _ in range(count)]
    fresh_robust = [robust(world.unlearned(rng), world.retrained(rng), models).mean() for _ in range(count)]
    elsewhere = []
    for _ in range(count):
        other = World.draw(rng, models, examples, shape)
        elsewhere.append(published(other.unlearned(rng), other.retrained(rng), models).mean())
    truth, truth_robust, truth_elsewhere = (float(np.mean(values)) for values in (fresh, fresh_robust, elsewhere))
    for _ in range(count):
        unlearned, rival, retrained = world.unlearned(rng), world.unlearned(rng), world.retrained(rng)
        points, halves = _evaluate(unlearned, retrained, published)
        for name, method in RERUN.items():
            tally.add(name, method(points, halves, world), truth)
        if examples <= SMALL:
            for name, resampling in RESAMPLING.items():
                tally.add(name, resampling(rng, unlearned, retrained, float(points.mean())), truth)
        tally.add("lethe-1, halves, log scale", ours(*_evaluate(unlearned, retrained, robust), world), truth_robust)
        scores = [(points, halves), _evaluate(rival, retrained, published)]
        entries = [HalvedScore(float(own.mean()), half.mean(axis=2).tolist()) for own, half in scores]
        separated.append(compare(entries[0], entries[1]).separated)
        elsewhere_world = World.draw(rng, models, examples, shape)
        drawn = _evaluate(elsewhere_world.unlearned(rng), elsewhere_world.retrained(rng), published)
        tally.add("other subjects: re-run interval", ours(*drawn, elsewhere_world), truth_elsewhere)
        tally.add("other subjects: generalisation interval", generalisation(*drawn, elsewhere_world), truth_elsewhere)
    return tally, float(np.mean(separated))


def _evaluate(unlearned: Array, retrained: Array, points: Callable[[Array, Array, int], Array]) -> tuple[Array, Array]:
    models = len(unlearned)
    halves = half_points(unlearned, retrained, lambda one, other: points(np.asarray(one), np.asarray(other), models))
    return points(unlearned, retrained, models), halves


def print_intervals(sizes: tuple[tuple[int, int, int], ...], seed: int) -> None:
    """Print, per size and method, the coverage over all shapes, that of the worst shape, and the relative width."""
    print("\n| N | S | method | coverage | worst shape | width / truth | bias of the middle |")
    print("|---|---|---|---|---|---|---|")
    false_separations: list[tuple[int, int, str, float]] = []
    for models, examples, count in sizes:
        rows: dict[str, list[tuple[float, float, float]]] = {}
        for number, shape in enumerate(SHAPES):
            rng = np.random.default_rng([seed, models, examples, number])
            tally, false = one_setting(rng, models, examples, shape, count)
            false_separations.append((models, examples, shape.name, false))
            for name, *numbers in tally:
                rows.setdefault(name, []).append((numbers[0], numbers[1], numbers[2]))
        for name, values in rows.items():
            held, width, bias = np.array(values).T
            figures = f"{held.mean():.1%} | {held.min():.1%} | {width.mean():.2f} | {bias.mean():+.1%}"
            print(f"| {models} | {examples} | {name} | {figures} |", flush=True)
    print("\n| N | S | false separations of equal entries (aim 5% at most) | worst shape |")
    print("|---|---|---|---|")
    for models, examples, _ in sizes:
        rates = [rate for n, s, _, rate in false_separations if (n, s) == (models, examples)]
        print(f"| {models} | {examples} | {np.mean(rates):.1%} | {max(rates):.1%} |")


def print_epsilons(count: int, seed: int) -> None:
    """Print three epsilons of normal examples whose true epsilons are known."""
    print("\n| shift | true at 1e-5 | official | sound bound, mean | any bound wrong | true at 0.01 | Gaussian |")
    print("|---|---|---|---|---|---|---|")
    for shift in (0.0, 0.5, 1.0, 2.0):
        rng = np.random.default_rng([seed, int(10 * shift)])
        true = _true_epsilon(shift)
        official: list[float] = []
        claimed: list[float] = []
        wrong: list[bool] = []
        gaussian: list[float] = []
        for _ in range(count):
            unlearned, retrained = rng.normal(shift, 1, (512, 60)), rng.normal(size=(512, 60))
            bounds, _claims = certified_bounds(unlearned, retrained)
            official.append(epsilons(unlearned, retrained).mean())
            claimed.append(np.sort(bounds)[-16:].mean())
            wrong.append(bool((bounds > true).any()))
            gaussian.extend(gaussian_epsilons(unlearned, retrained))
        one, zero = np.ones(1), np.zeros(1)
        at_001 = float(normal_epsilons(zero + shift, one, zero, one)[0])
        print(
            f"| {shift} | {true:.2f} | {np.mean(official):.2f} | {np.mean(claimed):.2f} | {np.mean(wrong):.1%} "
            f"| {at_001:.2f} | {np.mean(gaussian):.2f} ± {np.std(gaussian):.2f} |",
            flush=True,
        )


def _true_epsilon(shift: float) -> float:
    """Bisect for the epsilon of N(shift, 1) against N(0, 1) at the delta of the sound bounds."""
    low, high = 0.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        above = float(hockey_stick(np.array([middle]), np.array([shift]), np.ones(1))[0]) > BOUND_DELTA
        low, high = (middle, high) if above else (low, middle)
    return 0.0 if shift == 0 else high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="run every size of docs/calibration.md")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print_epsilons(200 if options.full else 50, options.seed)
    print_intervals(FULL if options.full else QUICK, options.seed)


if __name__ == "__main__":
    main()
