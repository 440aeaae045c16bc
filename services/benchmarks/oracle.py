"""The oracle: models retrained from scratch without the forget set, and what is measured of them."""

import hmac
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from services.benchmarks.lockstep import Build, Stacked, stacked_logits
from services.core import readings
from services.core.measurements import Measurements

__all__ = ["Splits", "derive_seed", "derive_seeds", "measure_models"]

Splits = dict[str, dict[str, NDArray[Any]]]  # split -> image, label
SEED_BITS = 63


def derive_seed(secret: bytes, purpose: str, index: int) -> int:
    """Derive a seed by HMAC-SHA256, so that it says nothing of the secret nor of other seeds."""
    digest = hmac.digest(secret, f"{purpose}|{index}".encode(), "sha256")
    return int.from_bytes(digest[:8], "big") >> (64 - SEED_BITS)


def derive_seeds(secret: bytes, purpose: str, count: int) -> list[int]:
    return [derive_seed(secret, purpose, index) for index in range(count)]


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
