"""The power of the joint audit on simulated entries, and its false claims: `python -m studies.joint_audit`.

    python -m studies.joint_audit            100 honest evaluations of each shape, 5 of each other kind: minutes
    python -m studies.joint_audit --full     1,000 honest evaluations in all, 20 of each other kind: half an hour
    python -m studies.joint_audit --cost     CPU time of one audit

A model's margin in an example is a sum of four factors of the model, which examples share, and noise.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics.joint import audit_jointly

Array = NDArray[np.float64]
Rng = np.random.Generator
FACTORS = 4
SHAPES = ((64, 60, 0.1), (64, 60, 0.8), (512, 60, 0.1), (512, 60, 0.4), (512, 1000, 0.1))  # models, examples, shared


def margins(rng: Rng, models: int, loadings: Array, shared: float) -> Array:
    """Draw margins [models, examples], with a share of the variance in common factors."""
    factors = rng.normal(size=(models, FACTORS)) @ loadings * np.sqrt(shared / FACTORS)
    return np.asarray(factors + np.sqrt(1 - shared) * rng.normal(size=(models, loadings.shape[1])))


def mixed(bias: float) -> Callable[[Rng, Array], Array]:
    """Move half of the models up and half of them down."""
    return lambda rng, found: found + np.where(rng.permutation(len(found)) % 2, bias, -bias)[:, None]


ENTRIES: dict[str, Callable[[Rng, Array], Array]] = {
    "honest": lambda rng, found: found,
    "half of the runs 0.5 sd up, half down": mixed(0.5),
    "half of the runs 0.25 sd up, half down": mixed(0.25),
    "all runs 0.25 sd up": lambda rng, found: found + 0.25,
    "right examples, independent of each other": lambda rng, found: rng.permuted(found, axis=0),
    "1/8 of the models, repeated": lambda rng, found: found[rng.integers(0, len(found) // 8, len(found))],
}


def proven(entry: str, shape: tuple[int, int, float], seed: int) -> float:
    """Audit one simulated evaluation."""
    models, examples, shared = shape
    rng = np.random.default_rng([seed, models, examples])
    loadings = rng.normal(size=(FACTORS, examples))
    unlearned, oracle = (margins(rng, models, loadings, shared) for _ in range(2))
    return audit_jointly(ENTRIES[entry](rng, unlearned), oracle).bound


def rows(honest: int, hostile: int) -> Iterator[str]:
    """Make the table: mean bound, and for honest entries how often any bound is above 0."""
    yield "| entry | " + " | ".join(f"N = {n}, S = {s}, {shared:.0%} shared" for n, s, shared in SHAPES) + " |"
    yield "|---|" + "---|" * len(SHAPES)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        found = {
            (entry, shape): [
                pool.submit(proven, entry, shape, seed) for seed in range(honest if entry == "honest" else hostile)
            ]
            for entry in ENTRIES
            for shape in SHAPES
        }
        for entry in ENTRIES:
            cells = []
            for shape in SHAPES:
                bounds = np.array([one.result() for one in found[entry, shape]])
                above = f"above 0 in {int((bounds > 0).sum())} of {len(bounds):,}"
                cells.append(above if entry == "honest" else f"{bounds.mean():.1f}")
            yield f"| {entry} | {' | '.join(cells)} |"


def print_cost() -> None:
    """Print the CPU time of one audit, of 512 models a side."""
    for examples in (60, 1000, 2000):
        proven("honest", (512, examples, 0.1), 0)
        started = time.process_time()
        proven("honest", (512, examples, 0.1), 1)
        print(f"{examples} examples: {time.process_time() - started:.2f} s")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="the table of docs/scoring.md")
    parser.add_argument("--cost", action="store_true", help="CPU time of one audit")
    options = parser.parse_args()
    if options.cost:
        print_cost()
        return
    for row in rows(*((200, 20) if options.full else (100, 5))):
        print(row, flush=True)


if __name__ == "__main__":
    main()
