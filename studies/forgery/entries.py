"""The entries of the acceptance table: honest ones, partial ones and forgeries, each as a file that is submitted."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from services.core.bundle.directory import Bundle
from services.core.bundle.measurements import Measurements
from studies.baselines.entries import Entry, with_recipe
from studies.forgery.modules import pinned

__all__ = ["SECOND", "STRATIFIED", "Case", "Group", "forgeries", "honest_entries", "made_of_oracles"]

HERE = Path(__file__).parent
BASELINES = HERE.parents[1] / "baselines"
SECOND = "second oracle"
STRATIFIED = "a notebook that shares out the outcomes of each example"
REPEATS = 8
CARRIED = 64  # retrained models whose logits a forgery carries


class Group(StrEnum):
    """What a row of the table is held against."""

    RETRAINING = "exact retraining"
    NOTHING = "no unlearning"
    PARTIAL = "partial retraining"
    METHOD = "published method"
    FORGERY = "forgery"


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the table."""

    group: Group
    title: str
    entry: Entry


OTHER_RECIPES: Mapping[str, Mapping[str, Any]] = {
    "the oracle's recipe": {},
    "3/4 of the epochs": {"epochs": 30},
    "half the learning rate": {"learning_rate": 0.05},
    "weight decay 5e-4": {"weight_decay": 5e-4},
    "Adam": {"optimizer": "adam", "learning_rate": 1e-3},
    "cosine schedule": {"schedule": "cosine"},
}
KEPT = (0.9, 0.75, 0.5, 0.25, 0.1)
METHODS = ("perturb_repair", "winner_1_contrastive", "winner_2_masked_reset", "neggrad_plus", "scrub", "finetune_noise")
PINNED: Mapping[str, Mapping[str, Any]] = {
    "logits drawn from Gaussians of 6 retrained models": {},
    "the mean logits of 6 retrained models": {"KIND": "mean"},
    "the logits of one retrained model a run": {"KIND": "true"},
    "each example from another retrained model": {"KIND": "shuffled"},
    "Gaussians, half of the runs 0.5 sd up, half down": {"BIAS": 0.5},
    "Gaussians, half of the runs 0.25 sd up, half down": {"BIAS": 0.25},
    "Gaussians, with a drift of 1 sd": {"DRIFT": 1.0},
    "Gaussians, with a drift of 3 sd": {"DRIFT": 3.0},
    "Gaussians, noisy copies pinned too": {"COPIES": 3},
}


def honest_entries(recipe: Mapping[str, Any]) -> list[Case]:
    """Make the entries that need no measurements, for a benchmark of this recipe."""
    retrain = (BASELINES / "retrain.py").read_text(encoding="utf-8")
    partial = (HERE / "modules" / "partial_retraining.py").read_text(encoding="utf-8")
    return [
        *(
            Case(Group.RETRAINING, title, _entry("retrain", with_recipe(retrain, {**recipe, **change})))
            for title, change in OTHER_RECIPES.items()
        ),
        *(
            Case(Group.NOTHING, name, _entry(name, (BASELINES / f"{name}.py").read_text(encoding="utf-8")))
            for name in ("identity", "finetune")
        ),
        *(
            Case(
                Group.PARTIAL,
                f"{1 - kept:.0%} forgotten",
                _entry("partial", _replaced(with_recipe(partial, recipe), {"KEPT": kept})),
            )
            for kept in KEPT
        ),
        *(
            Case(Group.METHOD, name, _entry(name, (BASELINES / f"{name}.py").read_text(encoding="utf-8")))
            for name in METHODS
        ),
    ]


def forgeries(bundle: Bundle, retrained: Measurements, changes: Mapping[str, Mapping[str, Any]] = PINNED) -> list[Case]:
    """Make the forgeries from the forget logits of retrained models, [N, S, C]."""
    source = (HERE / "modules" / "pinned.py").read_text(encoding="utf-8")
    logits = retrained.forget_logits[:CARRIED].astype(np.float16)
    carried = {
        "MODELS": len(logits),
        "IMAGES": [pinned.name_of(torch.from_numpy(image)) for image in _forget_images(bundle)],
        "LOGITS": base64.b64encode(logits.tobytes()).decode(),
    }
    return [
        Case(Group.FORGERY, title, _entry("pinned", _replaced(source, {**carried, **change})))
        for title, change in changes.items()
    ]


def made_of_oracles(bundle: Bundle, runs: int) -> Iterator[tuple[str, Measurements]]:
    """Make what no file could run as such from the models of the oracles."""
    second = bundle.measurements_of("second_oracle")
    assert second is not None
    rng, pool, labels = np.random.default_rng(0), second.forget_logits, bundle.forget_labels()
    unknown = rng.integers(0, 256, (runs, 32), dtype=np.uint8)  # their own hashes would give them away
    second = replace(second.first(runs), checkpoint_sha256=unknown)
    yield SECOND, second
    own = np.eye(pool.shape[2])[labels] * second.forget_logits.std(axis=0)  # [S, C]: the label's logit alone moves
    sides = np.where(rng.permutation(runs) % 2, 1.0, -1.0)[:, None, None]
    for bias in (0.25, 0.5):
        logits = (second.forget_logits + sides * bias * own).astype(np.float32)
        yield f"retrained, half of the runs {bias:g} sd up, half down", replace(second, forget_logits=logits)
    yield f"1/{REPEATS} of the models, repeated", _chosen(second, np.arange(runs) % max(runs // REPEATS, 1))
    margins = np.take_along_axis(pool, labels[None, :, None], axis=2)[..., 0] - pool.max(axis=2)
    ranked = margins.argsort(axis=0)  # [pool, S]
    strata = rng.permuted(np.tile(np.arange(runs), (len(labels), 1)), axis=1).T + rng.random((runs, len(labels)))
    places = np.take_along_axis(ranked, (strata * len(pool) / runs).astype(np.int64), axis=0)
    yield STRATIFIED, replace(second, forget_logits=pool[places, np.arange(len(labels))])
    yield "copies of the oracle's models", bundle.oracle().first(runs)


def _chosen(measurements: Measurements, models: NDArray[np.int64]) -> Measurements:
    return Measurements(**{field.name: getattr(measurements, field.name)[models] for field in fields(Measurements)})


def _forget_images(bundle: Bundle) -> Any:
    """Load the forget images as a model gets them, [S, ...] float32."""
    split = bundle.arrays("public/forget.safetensors")
    images = split["image"].astype(np.float32)
    for name, apply in (("scale", np.multiply), ("shift", np.add)):
        if name in split:
            images = apply(images, split[name].reshape(1, -1, *[1] * (images.ndim - 2)))
    return images.astype(np.float32)


def _entry(name: str, source: str) -> Entry:
    return Entry(name, source.encode())


def _replaced(source: str, values: Mapping[str, Any]) -> str:
    """Give constants, each on a line of its own, other values."""
    lines = source.splitlines(keepends=True)
    for name, value in values.items():
        at = [place for place, line in enumerate(lines) if line.startswith((f"{name} = ", f"{name}: "))]
        if len(at) != 1:
            raise ValueError(f"{name} is not assigned on one line of its own.")
        lines[at[0]] = f"{name} = {value!r}\n"
    return "".join(lines)
