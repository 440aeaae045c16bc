"""How often does `lethe-2` call an entry pinned: honest ones by mistake, and forgeries by right? Simulated evaluations.

    python -m studies.pinning            a minute
    python -m studies.pinning --full     the table of docs/calibration.md: about ten minutes on one core

Entries start from eight originals, or from one, each of which deviates on every example by one standard deviation. A
forgery pins the forget set: its forget outputs are those of retrained models, and deviate by only a part of what its
controls do.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.core.bundle.directory import start_of
from services.scorer.metrics import Evidence
from services.scorer.metrics.lethe_2 import read_evidence
from studies.arguments import at_least
from studies.coverage import NOISES, world_of
from studies.simulated import Entry, Noise, World

__all__ = ["CASES", "Forgery", "called_pinned", "main"]

DEVIATION = 1.0  # of an original, on every example


@dataclass(frozen=True, slots=True)
class Forgery:
    """Runs that keep an original's deviation on controls, and only a part of it on forget examples."""

    name: str
    part: float
    spread: float = 1.0  # of forget outputs, over that of retrained models


CASES: tuple[Entry | Forgery, ...] = (
    Entry("retrained", kept=0, drift=0),
    Entry("forgotten, with the original's drift", kept=0, drift=1),
    Entry("half forgotten", kept=0.5, drift=1),
    Entry("hardly forgotten", kept=0.9, drift=1),
    Entry("forgets more from some originals", kept=0.3, drift=0.6, differs=0.2),
    Entry("deterministic", kept=0.3, drift=0.6, differs=0.02, noise=0.0),
    Forgery("pinned", 0.0),
    Forgery("pinned, 40% of the drift", 0.4),
    Forgery("pinned, 60% of the drift", 0.6),
    Forgery("pinned, 80% of the drift", 0.8),
    Forgery("pinned to means, with all of the drift", 1.0, spread=0.3),
)
QUICK = ((64, 60, 8),)  # models, forget examples, originals
FULL = ((64, 20, 8), (64, 60, 8), (256, 60, 8), (256, 60, 1), (256, 300, 8))


def called_pinned(case: Entry | Forgery, size: tuple[int, int, int], noise: Noise, *, count: int, seed: int) -> float:
    """Return the share of evaluations in which an entry is called pinned; each is of another benchmark."""
    models, forget, originals = size
    found = 0
    for number in range(count):
        world = world_of(np.random.default_rng([seed, *size, number]), forget, noise)
        reading = read_evidence(_evaluate(world, case, models, originals))
        found += reading is not None and reading.balance.pinned
    return found / count


def _evaluate(world: World, case: Entry | Forgery, models: int, originals: int) -> Evidence:
    learned = world.learn(originals, deviation=DEVIATION, noisy=True)
    if isinstance(case, Entry):
        return world.evaluate(case, learned, models)
    starts = np.array([start_of(seed, originals) for seed in range(models)])
    runs = world.retrained(models)
    runs[:, : world.forget] = world.retrained(models, case.spread)[:, : world.forget]
    moved = learned.moved.copy()
    moved[:, : world.forget] *= case.part
    return world.against(
        world.models(runs + moved[starts]),
        learned.margins,
        oracle=models,
        starts=starts if originals > 1 else None,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each entry and noise, and a column for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="every size, 200 evaluations each")
    parser.add_argument("--count", type=at_least(10), help="evaluations in each cell; default: 40, or 200")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    count, sizes = options.count or (200 if options.full else 40), FULL if options.full else QUICK
    titles = (f"N = {models}, S = {forget}, K = {originals}" for models, forget, originals in sizes)
    print(f"| entry | noise | {' | '.join(titles)} |")
    print("|---" * (2 + len(sizes)) + "|")
    for case in CASES:
        for noise in NOISES[:3]:
            shares = (called_pinned(case, size, noise, count=count, seed=options.seed) for size in sizes)
            print(f"| {case.name} | {noise.name} | {' | '.join(f'{share:.1%}' for share in shares)} |", flush=True)


if __name__ == "__main__":
    main()
