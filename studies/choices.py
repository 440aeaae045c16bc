"""The effect of each choice of lethe-1 on simulated entries: `python -m studies.choices` (about a minute).

Confidences are normal, with 512 models a side and 60 examples. Spread is the oracle's standard deviation. All numbers
are means over 10 draws.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics import METRICS, Sides

Array = NDArray[np.float64]
Rng = np.random.Generator

MODELS, EXAMPLES, DRAWS = 512, 60, 10


def draw(rng: Rng, spread: float = 1.0, shift: float = 0.0) -> Array:
    return np.asarray(spread * rng.normal(shift, 1, (MODELS, EXAMPLES)))


def diverged(rng: Rng) -> tuple[Array, Array, Array]:
    oracle = draw(rng, 0.15)
    oracle[0] = 90.0
    return draw(rng, 0.15), oracle, draw(rng, 0.15)


def diverged_entry(rng: Rng) -> tuple[Array, Array, Array]:
    entry = draw(rng, 0.15, 1.0)
    entry[:3] = -90.0
    return entry, draw(rng, 0.15), draw(rng, 0.15)


def repeated(rng: Rng, distinct: int) -> tuple[Array, Array, Array]:
    entry = np.tile(draw(rng)[:distinct], (MODELS // distinct, 1)) + rng.normal(0, 1e-3, (MODELS, EXAMPLES))
    return entry, draw(rng), draw(rng)


def two_biases(rng: Rng) -> tuple[Array, Array, Array]:
    sides = np.where(np.arange(MODELS) % 2, 0.5, -0.5)[:, None]
    return draw(rng) + sides, draw(rng), draw(rng)


def leaked(rng: Rng) -> tuple[Array, Array, Array]:
    oracle = draw(rng)
    return oracle + rng.normal(0, 1e-3, oracle.shape), oracle, draw(rng)


SITUATIONS: dict[str, Callable[[Rng], tuple[Array, Array, Array]]] = {
    "as good as retraining, spread 1": lambda rng: (draw(rng), draw(rng), draw(rng)),
    "as good as retraining, spread 0.3": lambda rng: (draw(rng, 0.3), draw(rng, 0.3), draw(rng, 0.3)),
    "as good as retraining, spread 0.15": lambda rng: (draw(rng, 0.15), draw(rng, 0.15), draw(rng, 0.15)),
    "the same, 1 of 512 oracle models diverged": diverged,
    "1 sd off, spread 0.15": lambda rng: (draw(rng, 0.15, 1.0), draw(rng, 0.15), draw(rng, 0.15)),
    "the same, 3 of 512 unlearned models diverged": diverged_entry,
    "half a sd off, spread 1": lambda rng: (draw(rng, shift=0.5), draw(rng), draw(rng)),
    "two biases of half a sd mixed": two_biases,
    "64 models repeated 8 times, noise 0.001": lambda rng: repeated(rng, 64),
    "16 models repeated 32 times, noise 0.001": lambda rng: repeated(rng, 16),
    "the oracle's own models, noise 0.001": leaked,
}


def rows() -> Iterator[str]:
    """Compute the table, a row for each situation."""
    yield "| entry | F, neurips-2023 | F / ceiling, lethe-1 | effective models | flags of lethe-1 |"
    yield "|---|---|---|---|---|"
    for name, situation in SITUATIONS.items():
        old, new, effective = [], [], []
        flags: set[str] = set()
        for seed in range(DRAWS):
            sides = Sides.of_arrays(*situation(np.random.default_rng(seed)))
            old.append(METRICS["neurips-2023"].judge(sides).quality.value)
            found = METRICS["lethe-1"].judge(sides)
            new.append(found.quality.value)
            effective.append(found.effective_models)
            flags.update(found.flags)
        shown = ", ".join(sorted(flags)) or "none"
        yield f"| {name} | {np.mean(old):.4f} | {np.mean(new):.3f} | {np.mean(effective):.0f} | {shown} |"


if __name__ == "__main__":
    for row in rows():
        print(row, flush=True)
