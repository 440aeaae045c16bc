"""Do the intervals of the metrics that are registered hold the truth, in worlds harder than those of calibration?

    python -m studies.coverage            a few minutes: few evaluations, the smaller sizes
    python -m studies.coverage --full     the table of docs/calibration.md: about an hour on 2 cores
    python -m studies.coverage --full --keep FILE     goes on where an earlier call ended

Whole evaluations are simulated (`studies.simulated`), with test and retained examples, a second oracle and eight
originals, and scored by every metric as the scorer does. Noise is a factor that all examples of the model share (its
part is the *correlation*), and a part of each example's own, in one mode or two. The truth is the mean over fresh
evaluations: other runs, other oracles, other originals.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from services.scorer.metrics import METRICS, Estimate
from studies.arguments import at_least
from studies.simulated import Entry, Noise, World

__all__ = ["ENTRIES", "NOISES", "coverage", "main", "world_of"]

ORIGINALS, CONTROLS = 8, 200  # CONTROLS examples of the test set, and as many of the retain set
REMEMBERED = 4.0  # mean shift of a forget example in an original, in standard deviations
OWN_OF_ORIGINAL = 0.5  # standard deviation of what one original adds to any example

NOISES = (Noise("plain", 0.1), Noise("0.8", 0.8), Noise("0.99", 0.99), Noise("two modes", 0.1, bimodal=True))
ENTRIES = (
    Entry("retrained", kept=0, drift=0),
    Entry("drifted", kept=0, drift=1),
    Entry("half forgotten", kept=0.5, drift=1),
    Entry("hardly", kept=0.9, drift=1),
)
QUICK = tuple(product((64,), (5, 20)))  # models, forget examples
FULL = tuple(product((64, 256), (5, 20, 60)))


def world_of(random: np.random.Generator, forget: int, noise: Noise) -> World:
    """Draw a benchmark: the middles of its examples, and how much each forget example is remembered."""
    middle = random.normal(3, 2, forget + 2 * CONTROLS)
    remembered = np.zeros(len(middle))
    remembered[:forget] = REMEMBERED * random.uniform(0.4, 1.6, forget)
    return World(random, noise, forget, CONTROLS, middle, noise.loadings(random, len(middle)), remembered)


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
    world = world_of(np.random.default_rng([seed, models, forget]), forget, noise)
    found: dict[str, list[Estimate]] = {name: [] for name in METRICS}
    for _ in range(count):
        originals = world.learn(ORIGINALS, deviation=OWN_OF_ORIGINAL, noisy=True)
        evidence = world.evaluate(entry, originals, models)
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
    parser.add_argument("--keep", type=Path, metavar="FILE", help="add each setting's rows, and skip those in it")
    options = parser.parse_args(arguments)
    count = options.count or (100 if options.full else 30)
    sizes = FULL if options.full else QUICK
    rows = list(_rows(sizes, count, options.seed, options.keep))
    print("| metric | N | S | noise | coverage | worst entry | its coverage | mean width |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (models, forget), noise in product(METRICS, sizes, (noise.name for noise in NOISES)):
        these = [
            row for row in rows if (row.metric, row.models, row.forget, row.noise) == (name, models, forget, noise)
        ]
        worst = min(these, key=lambda row: row.held)
        held, width = np.mean([row.held for row in these]), np.mean([row.width for row in these])
        cells = (f"`{name}`", models, forget, noise, f"{held:.0%}", worst.entry, f"{worst.held:.0%}", f"{width:.3f}")
        print(f"| {' | '.join(map(str, cells))} |")


def _rows(sizes: Sequence[tuple[int, int]], count: int, seed: int, keep: Path | None) -> Iterator[Row]:
    """Simulate every setting, unless its rows are kept; the file has a line for each setting."""
    kept: dict[str, list[Row]] = {}
    if keep is not None and keep.is_file():
        for line in keep.read_text(encoding="utf-8").splitlines():
            found = json.loads(line)
            kept[found["setting"]] = [Row(**row) for row in found["rows"]]
    settings = list(product(sizes, NOISES, ENTRIES))
    for size, noise, entry in track(settings, "Simulating", console=Console(stderr=True)):
        setting = f"{size} {noise} {entry} {count} {seed}"
        if setting not in kept:
            kept[setting] = list(coverage(*size, noise, entry, count=count, seed=seed))
            if keep is not None:
                with keep.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps({"setting": setting, "rows": [asdict(row) for row in kept[setting]]}) + "\n")
        yield from kept[setting]


if __name__ == "__main__":
    main()
