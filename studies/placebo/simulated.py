"""Simulated evaluations with placebo runs: how often honest entries are accused, and forgeries found.

Margins are normal, and models share a part of their deviations in four factors. A run keeps a part of what is peculiar
to its start, and adds noise of its own: a part that all of its examples share, and the rest for each example.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics import Evidence, Models, PlaceboSides, Predictions
from services.scorer.metrics.placebo import is_replaced, read_placebo

__all__ = ["Kind", "accused", "print_simulations", "simulate"]

Array = NDArray[np.float64]
Rng = np.random.Generator
FORGET, CONTROLS, FACTORS, SHARED, ORACLE = 60, 400, 4, 0.3, 64
SHAPES = ((4, 32), (8, 32), (8, 64), (16, 64))  # placebos, and runs from them


@dataclass(frozen=True)
class Kind:
    """What an entry does to a start."""

    title: str
    test: float  # part of a start's deviation that runs keep on test examples
    forget: float  # the same on forget examples
    noise: float  # of a run, in standard deviations of retrained models
    shared: float = SHARED  # part of that noise's variance in factors


HONEST = (
    Kind("retraining", 0.0, 0.0, 1.0),
    Kind("retraining, models that differ mostly in factors", 0.0, 0.0, 1.0, shared=0.9),
    Kind("keeps 30%, noisy", 0.3, 0.3, 1.0),
    Kind("keeps 30%, noise in factors", 0.3, 0.3, 1.0, shared=0.9),
    Kind("keeps 70%", 0.7, 0.7, 0.5),
    Kind("keeps 70% of test, 50% of forget deviations", 0.7, 0.5, 0.5),
    Kind("fine-tuning", 1.0, 1.0, 0.1),
)
FORGED = (
    Kind("pinned, 70% kept elsewhere", 0.7, 0.0, 1.0),
    Kind("pinned, 40% kept elsewhere", 0.4, 0.05, 1.0),
    Kind("pinned, 25% kept elsewhere", 0.25, 0.0, 1.0),
    Kind("pinned, 15% kept elsewhere", 0.15, 0.0, 1.0),
)


def accused(kind: Kind, shape: tuple[int, int], count: int) -> float:
    """Return the share of simulated evaluations of which the alarm says that forget outputs were replaced."""
    rng = np.random.default_rng([*shape, count, round(1000 * kind.test), round(1000 * kind.noise)])
    found = 0
    for _ in range(count):
        reading = read_placebo(simulate(rng, kind, *shape))
        found += reading is not None and is_replaced(reading)
    return found / count


def simulate(rng: Rng, kind: Kind, starts: int, runs: int) -> Evidence:
    """Draw a benchmark and one evaluation."""
    examples = FORGET + CONTROLS
    middle = rng.normal(4, 2, examples)
    loadings = rng.normal(size=(FACTORS, examples)) / np.sqrt(FACTORS)
    memory = np.zeros(examples)
    memory[:FORGET] = 6 * rng.uniform(0.2, 2.0, FORGET)
    placebos, originals = (_deviations(rng, starts, loadings, SHARED) for _ in range(2))
    started = np.arange(runs) % starts
    kept = np.r_[np.full(FORGET, kind.forget), np.full(CONTROLS, kind.test)]
    ends = [
        middle + kept * side[started] + kind.noise * _deviations(rng, runs, loadings, kind.shared)
        for side in (placebos, originals)
    ]
    sides = PlaceboSides(_models(ends[0]), _models(middle + placebos), started)
    return Evidence(
        unlearned=_models(ends[1]),
        oracle=_models(middle + _deviations(rng, ORACLE, loadings, SHARED)),
        forget_labels=np.zeros(FORGET, dtype=np.int64),
        test_labels=np.zeros(CONTROLS, dtype=np.int64),
        originals=_models(middle + memory + originals),
        starts=started,
        placebo=sides,
    )


def print_simulations(count: int) -> None:
    """Print a table for honest entries and one for forgeries."""
    shown = " | ".join(f"{starts} placebos, {runs} runs" for starts, runs in SHAPES)
    for heading, kinds in (("honest entry, accused", HONEST), ("forgery, found", FORGED)):
        print(f"| {heading} | {shown} |\n|---{'|---' * len(SHAPES)}|")
        for kind in kinds:
            cells = " | ".join(f"{accused(kind, shape, count):.1%}" for shape in SHAPES)
            print(f"| {kind.title} | {cells} |", flush=True)
        print()


def _deviations(rng: Rng, models: int, loadings: Array, shared: float) -> Array:
    factors = rng.normal(size=(models, FACTORS)) @ loadings * np.sqrt(shared)
    return np.asarray(factors + np.sqrt(1 - shared) * rng.normal(size=(models, loadings.shape[1])))


def _models(margins: Array) -> Models:
    forget, test = margins[:, :FORGET], margins[:, FORGET:]
    accuracies: Any = np.full(len(margins), 0.9)
    predictions = Predictions((test < 0).astype(np.uint8), test.astype(np.float32), np.zeros_like(test, np.float16))
    return Models(np.stack([forget, np.zeros_like(forget)], axis=-1), accuracies, accuracies, test=predictions)
