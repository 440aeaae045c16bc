"""The methods, and the one constant of each that is tuned: six values for every method, so nobody gets more tries."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.cli.demo import BASELINES
from services.core.bundle.manifest import Manifest
from services.core.references.planning import plan
from studies.baselines.entries import Entry, with_recipe
from studies.method_sweeps.constants import constant_of, with_constants
from studies.order_of_2023.entries import RATES

__all__ = ["DEFAULT", "FACTORS", "KNOBS", "Reference", "references", "tuned"]

DEFAULT = 1.0
FACTORS = (0.1, 0.3, DEFAULT, 3.0, 10.0, 30.0, 100.0, 300.0)  # times the file's own value
KNOBS: Mapping[str, tuple[str, ...]] = {  # constants that are multiplied by one factor
    **RATES,
    "amnesiac": ("LEARNING_RATE",),
    "assd": ("LAMBDA",),
    "assd_random": ("NOISE",),
    "bad_teacher": ("LEARNING_RATE",),
    "finetune": ("LEARNING_RATE",),
    "finetune_noise": ("NOISE",),
    "fisher_forgetting": ("ALPHA",),
    "fisher_noise": ("ALPHA",),
    "jit": ("LEARNING_RATE",),
    "l1_sparse": ("LEARNING_RATE",),
    "langevin_noisy": ("SIGMA",),
    "last_layer_newton": ("NOISE",),
    "lfssd": ("ALPHA",),
    "lfssd_random": ("NOISE",),
    "neggrad_plus": ("LEARNING_RATE",),
    "perturb_repair": ("NOISE",),
    "potion": ("RHO",),
    "rum": ("FINETUNE_RATE", "SALUN_RATE"),
    "salun": ("LEARNING_RATE",),
    "scrub": ("LEARNING_RATE",),
    "ssd": ("ALPHA",),
    "ssd_random": ("NOISE",),
    "unsir": ("LEARNING_RATE",),
}
DOING_NOTHING, RETRAINING = "identity", "retrain"


@dataclass(frozen=True, slots=True)
class Reference:
    """A row that is no method: doing nothing, or retraining for so many epochs."""

    title: str
    epochs: int
    entry: Entry


def tuned(method: str, factor: float) -> Entry:
    """Write a baseline whose knob has `factor` times its own value. At 1 it is the file itself, byte for byte."""
    source = _source(method)
    if factor != DEFAULT:
        source = with_constants(source, {name: constant_of(source, name).value * factor for name in KNOBS[method]})
    return Entry(method, source.encode())


def references(manifest: Manifest) -> list[Reference]:
    """Write the rows that the platform makes for every phase: identity, and retraining for shares of the epochs."""
    return [Reference(row.name, row.epochs, _reference(manifest, row.epochs)) for row in plan(manifest.model_dump())]


def _reference(manifest: Manifest, epochs: int) -> Entry:
    if epochs == 0:
        return Entry(DOING_NOTHING, _source(DOING_NOTHING).encode())
    return Entry(RETRAINING, with_recipe(_source(RETRAINING), {**manifest.recipe, "epochs": epochs}).encode())


def _source(name: str) -> str:
    return (BASELINES / f"{name}.py").read_text(encoding="utf-8")
