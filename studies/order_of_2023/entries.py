"""The entries whose order was published in 2023: a grid of fine-tunings, the winners, and gradient ascent.

docs/decisions/0035 fixes them and the rule for their rates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.benchmarks.catalogue.faces import RATE_OF_SMALL
from services.cli.demo import BASELINES
from studies.baselines.entries import Entry
from studies.method_sweeps.constants import constant_of, with_constants

__all__ = [
    "ASCENT",
    "AS_MANY_STEPS",
    "GRID",
    "READINGS",
    "STARTER",
    "Reading",
    "Tuning",
    "ascent",
    "grid",
    "method",
    "winners",
]

GRID_MODULE = Path(__file__).parent / "modules" / "finetune_in_batches.py"
ASCENT = "gradient_ascent"
RATES: Mapping[str, tuple[str, ...]] = {  # the constants of each file that are rates of gradient descent
    ASCENT: ("LEARNING_RATE",),
    "winner_1_contrastive": ("UNDECIDE_RATE", "FORGET_RATE", "LEAST_RATE", "REPAIR_RATE"),
    "winner_2_masked_reset": ("LEARNING_RATE",),
    "winner_3_noisy_first_layer": ("LEARNING_RATE",),
    "winner_4_pruned_reset": ("LEARNING_RATE",),
    "winner_5_transposed": ("LEARNING_RATE",),
    "winner_6_reset_and_distil": ("WARM_UP_RATE", "LEARNING_RATE"),
    "winner_7_layerwise": ("SCALE",),
    "winner_9_forget_free": ("LEARNING_RATE",),
}


@dataclass(frozen=True, slots=True)
class Tuning:
    """One published fine-tuning, and the score that it got in 2023."""

    rate: float
    batch: int
    epochs: int
    published: float

    @property
    def title(self) -> str:
        return f"{self.rate:g}, {self.batch}, {self.epochs}"


@dataclass(frozen=True, slots=True)
class Reading:
    """How published constants are read on a benchmark of a tenth of the steps."""

    title: str
    rates: float = 1.0  # by what rates are multiplied
    epochs: int = 1  # by what epochs are multiplied


READINGS = (Reading("Rates of a tenth of the steps", rates=RATE_OF_SMALL), Reading("Rates as published"))
AS_MANY_STEPS = Reading("As many steps as in 2023", epochs=RATE_OF_SMALL)  # asks why, and decides nothing

# Rate, batch, epochs and score on the public leaderboard of the 2023 competition, as the team Air Liquide wrote.
GRID = (
    Tuning(0.001, 64, 1, 0.046),
    Tuning(0.0005, 32, 1, 0.049),
    Tuning(0.002, 64, 1, 0.038),
    Tuning(0.0005, 64, 1, 0.030),
    Tuning(0.05, 1024, 6, 0.0372),
    Tuning(0.1, 64, 4, 0.032),
    Tuning(0.001, 64, 4, 0.009),
    Tuning(0.001, 1024, 5, 0.0002),
)
STARTER = GRID[0]  # the organisers' own


def grid(tuning: Tuning, reading: Reading) -> Entry:
    """Write the entry of a published fine-tuning."""
    constants = {
        "LEARNING_RATE": tuning.rate * reading.rates,
        "BATCH": tuning.batch,
        "EPOCHS": tuning.epochs * reading.epochs,
    }
    return Entry(GRID_MODULE.stem, with_constants(GRID_MODULE.read_text(encoding="utf-8"), constants).encode())


def winners() -> list[str]:
    """Name the winners of 2023 that have a baseline, by place."""
    return sorted(path.stem for path in BASELINES.glob("winner_*.py"))


def ascent(reading: Reading) -> Entry:
    """Write gradient ascent, the last of the published order."""
    return method(ASCENT, reading)


def method(name: str, reading: Reading) -> Entry:
    """Write the entry of a baseline. Its epochs stay its own."""
    source = (BASELINES / f"{name}.py").read_text(encoding="utf-8")
    rates = {constant: constant_of(source, constant).value * reading.rates for constant in RATES[name]}
    return Entry(name, with_constants(source, rates).encode())
