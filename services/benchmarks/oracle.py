"""The oracle: models retrained from scratch without the forget set, and what is measured of them.

A model is *diverged* when a logit on the retain set is not finite, or when its retain accuracy is below half the
median model's. One such model can decide a score, so the build retrains it from a further seed. The rule stands here
before any model is trained; the manifest says how many it met; above 1 % the recipe is at fault and nothing is built.
"""

import hmac
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from services.benchmarks.lockstep import Build, Stacked, stacked_logits
from services.core import readings
from services.core.errors import BadInput
from services.core.measurements import Measurements

__all__ = [
    "DivergedOracle",
    "Splits",
    "derive_seed",
    "derive_seeds",
    "find_diverged",
    "measure_models",
    "train_without_diverged",
]

Splits = dict[str, dict[str, NDArray[Any]]]  # split -> image, label
MAX_DIVERGED_SHARE = 0.01
SEED_BITS = 63


def derive_seed(secret: bytes, purpose: str, index: int) -> int:
    """Derive a seed by HMAC-SHA256, so that it says nothing of the secret nor of other seeds."""
    digest = hmac.digest(secret, f"{purpose}|{index}".encode(), "sha256")
    return int.from_bytes(digest[:8], "big") >> (64 - SEED_BITS)


def derive_seeds(secret: bytes, purpose: str, count: int) -> list[int]:
    return [derive_seed(secret, purpose, index) for index in range(count)]


class DivergedOracle(BadInput):
    code = "diverged_oracle"


def train_without_diverged(
    train: Callable[[Sequence[int]], Stacked],
    diverged: Callable[[Stacked], Sequence[int]],
    *,
    seeds: Sequence[int],
    spare: Callable[[int], int],
) -> tuple[Stacked, int]:
    """Train a model per seed, and each diverged one again from the next spare seed; return how many there were.

    Raises DivergedOracle when more than 1 % of the models diverge, replacements included.
    """
    models = train(seeds)
    allowed, replaced = int(len(seeds) * MAX_DIVERGED_SHARE), 0
    while positions := diverged(models):
        if replaced + len(positions) > allowed:
            raise DivergedOracle(
                f"{replaced + len(positions)} of {len(seeds)} retrained models diverged; at most {allowed} may. "
                "Lower the recipe's learning rate."
            )
        fresh = train([spare(replaced + number) for number in range(len(positions))])
        for name, value in models.items():
            value[list(positions)] = fresh[name]
        replaced += len(positions)
    return models, replaced


def find_diverged(build: Build, models: Stacked, retain: dict[str, NDArray[Any]]) -> list[int]:
    """Return the positions of diverged models."""
    logits = stacked_logits(build, models, torch.from_numpy(retain["image"]))
    finite = torch.isfinite(logits).flatten(1).all(dim=1).numpy()
    accuracy = (logits.argmax(dim=2).numpy() == retain["label"]).mean(axis=1)
    return [int(position) for position in np.flatnonzero(~finite | (accuracy < np.median(accuracy) / 2))]


def measure_models(build: Build, models: Stacked, splits: Splits, probe: NDArray[np.int64]) -> Measurements:
    """Measure every stacked model on the forget, retain and test splits, as a worker's measurer does."""
    logits = {
        name: stacked_logits(build, models, torch.from_numpy(splits[name]["image"])).numpy()
        for name in ("forget", "retain", "test")
    }
    rows = [
        _reading(
            {name: value[index].numpy() for name, value in models.items()},
            {name: value[index] for name, value in logits.items()},
            splits,
            probe,
        )
        for index in range(len(logits["forget"]))
    ]
    return Measurements(**{name: _stack(rows, name) for name in rows[0]})


def _stack(rows: Sequence[dict[str, NDArray[Any]]], name: str) -> NDArray[Any]:
    return np.stack([row[name] for row in rows])


def _reading(
    state: dict[str, NDArray[Any]], logits: dict[str, NDArray[np.float32]], splits: Splits, probe: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    arrays = readings.reading(
        forget_logits=logits["forget"],
        retain_logits=logits["retain"],
        test_logits=logits["test"],
        retain_labels=splits["retain"]["label"],
        test_labels=splits["test"]["label"],
        probe=probe,
    )
    digest = readings.checkpoint_sha256(state)
    arrays["checkpoint_sha256"] = np.frombuffer(bytes.fromhex(digest), dtype=np.uint8)
    arrays["weight_sketch"] = readings.weight_sketch(state)
    return arrays
