"""The sweeps: for each page of docs/methods/, a few constants of baselines and their values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.cli.demo import BASELINES
from studies.baselines.entries import Entry
from studies.method_sweeps.constants import Number, constant_of, with_constants

__all__ = ["FAMILIES", "Sweep"]


@dataclass(frozen=True, slots=True)
class Sweep:
    """The values of one constant of a baseline; other constants may differ from the file's, too."""

    file: str
    constant: str
    values: tuple[Number, ...]
    meaning: str  # the constant in words, with its unit: a label below the axis
    others: Mapping[str, Number] = field(default_factory=dict)
    linear: bool = False  # the axis: otherwise logarithmic

    @property
    def source(self) -> str:
        return (BASELINES / f"{self.file}.py").read_text(encoding="utf-8")

    @property
    def default(self) -> Number:
        """Return the constant's value in the file."""
        return constant_of(self.source, self.constant).value

    @property
    def title(self) -> str:
        """Name the file, and its other changed constants."""
        return " ".join([self.file, *self.changes])

    @property
    def changes(self) -> list[str]:
        """List the other changed constants, as one string or none."""
        said = ", ".join(f"{name} {value:g}" for name, value in self.others.items())
        return [f"with {said}"] if said else []

    def entry(self, value: Number) -> Entry:
        """Make the submission of one point."""
        source = with_constants(self.source, {**self.others, self.constant: value})
        return Entry(self.file, source.encode())


RATE = "length of a step"
DEVIATION = "standard deviation"
REPAIRED = {"REPAIR_RATE": 0.3, "REPAIR_DECAY": 5e-4}
EVEN = {"OTHERS": 1, "LEARNING_RATE": 0.1}  # all classes weigh the same
FAMILIES: dict[str, tuple[Sweep, ...]] = {
    "fine-tuning": (
        Sweep("finetune", "LEARNING_RATE", (1e-3, 3e-2, 0.1, 0.3, 0.5), RATE),
        Sweep("finetune", "EPOCHS", (1, 2, 4, 8), "passes", {"LEARNING_RATE": 0.3}),
        Sweep("finetune_noise", "NOISE", (1e-3, 1e-2, 3e-2, 0.1), DEVIATION),
        Sweep("perturb_repair", "NOISE", (0.02, 0.05, 0.1, 0.2), DEVIATION),
        Sweep("langevin_noisy", "SIGMA", (0.005, 0.05, 0.1, 0.2), "scale of a step's noise"),
        Sweep("neggrad_plus", "LEARNING_RATE", (0.01, 0.1, 0.3, 0.5), RATE),
    ),
    "dampening": (
        Sweep("ssd_random", "ALPHA", (5, 10, 20, 50, 100), "ratio of importances"),
        Sweep("lfssd_random", "ALPHA", (1, 1.5, 2, 3, 10), "ratio of importances"),
        Sweep("ssd_random", "NOISE", (1e-3, 1e-2, 3e-2, 0.1), DEVIATION, {"ALPHA": 50}),
        Sweep("jit", "LEARNING_RATE", (3e-4, 3e-3, 1e-2, 2e-2, 5e-2), RATE),
    ),
    "teachers-and-relabelling": (
        Sweep("bad_teacher", "LEARNING_RATE", (1e-4, 1e-3, 3e-3, 1e-2), RATE),
        Sweep("scrub", "LEARNING_RATE", (5e-4, 2e-2, 5e-2, 0.1, 0.2), RATE),
        Sweep("amnesiac", "LEARNING_RATE", (1e-4, 1e-3, 3e-3, 1e-2), RATE),
        Sweep("unsir", "LEARNING_RATE", (1e-4, 1e-3, 3e-3, 1e-2), RATE),
    ),
    "second-order": (
        Sweep("fisher_noise", "ALPHA", (5e-7, 5e-6, 2e-5, 5e-5, 2e-4), "scale of the variance"),
        Sweep("fisher_forgetting", "ALPHA", (1e-8, 1e-7, 1e-6, 1e-5), "scale of the variance", {"EXAMPLES": 100}),
        Sweep("last_layer_newton", "DAMPING", (1e-4, 1e-3, 1e-2, 0.1), "added to the Hessian", {"STEP": 0.1}),
        Sweep("last_layer_newton", "NOISE", (1e-3, 1e-2, 3e-2, 0.1), DEVIATION),
    ),
    "winners-2023": (
        Sweep("winner_1_contrastive", "REPAIR_RATE", (4e-3, 3e-2, 0.1, 0.3), RATE),
        Sweep("winner_1_contrastive", "FORGET_RATE", (3e-4, 3e-3, 1e-2, 3e-2), RATE, REPAIRED),
        Sweep("winner_2_masked_reset", "LEARNING_RATE", (1e-3, 1e-2, 0.1, 0.3), RATE),
        Sweep("winner_2_masked_reset", "RESET", (0.1, 0.3, 0.6, 0.9), "share of weights", {"LEARNING_RATE": 0.1}, True),
        Sweep("winner_3_noisy_first_layer", "LEARNING_RATE", (7e-4, 7e-3, 3e-2, 0.1), RATE, {"OTHERS": 1}),
        Sweep("winner_3_noisy_first_layer", "NOISE", (0.1, 0.2, 0.4, 0.6), DEVIATION, EVEN),
    ),
}
