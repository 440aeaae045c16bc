"""Stress readings: what the trusted side reads off models whose weights are rounded, and that relearn.

One reading is a safetensors blob. Its arrays have a row for each condition: the model as it is, each rounding, and each
perturbed copy of the images. The first seeds of an evaluation also relearn; their readings have a second set of arrays,
with a row for each moment of relearning. `services/benchmarks/stressing.py` computes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from services.core.bundle.measurements import BadMeasurements

__all__ = ["RELEARNED_SEEDS", "StressReadings", "sign_stress"]

RELEARNED_SEEDS = 16  # of an evaluation, its first ones
RELEARNED = "relearned_"
NAMES = ("forget_margin", "forget_given", "control_margin", "control_given", "readable")
DTYPES = {"margin": np.float32, "given": np.uint8, "readable": np.uint8, "distance": np.float64}


@dataclass(frozen=True, slots=True, eq=False)
class StressReadings:
    """Readings of N models, n of which relearned, on S forget examples and C controls, in Q conditions."""

    seeds: NDArray[np.int64]  # [N]
    forget_margin: NDArray[np.float32]  # [N, Q, S]
    forget_given: NDArray[np.uint8]  # [N, Q, S], whether the label is given
    control_margin: NDArray[np.float32]  # [N, Q, C]
    control_given: NDArray[np.uint8]  # [N, Q, C]
    readable: NDArray[np.uint8]  # [N, Q]; 0 if an output was not finite, and its row is 0
    distance: NDArray[np.float64]  # [N, 2], of the weights to the seed's own original, and the original's norm
    poison_given: NDArray[np.uint8]  # [N, P], whether a triggered image gets the trigger's label; P may be 0
    relearned_seeds: NDArray[np.int64]  # [n]
    relearned_forget_margin: NDArray[np.float32]  # [n, K, S], after each of K numbers of steps
    relearned_forget_given: NDArray[np.uint8]  # [n, K, S]
    relearned_control_margin: NDArray[np.float32]  # [n, K, C]
    relearned_control_given: NDArray[np.uint8]  # [n, K, C]
    relearned_readable: NDArray[np.uint8]  # [n, K]

    def __len__(self) -> int:
        return len(self.seeds)

    @classmethod
    def stack(cls, blobs: Sequence[bytes], seeds: Sequence[int]) -> Self:
        """Stack the readings of these seeds, in their order.

        Raises BadMeasurements, naming the seed, if a blob is damaged or has another shape.
        """
        rows = [_parse(blob, seed) for blob, seed in zip(blobs, seeds, strict=True)]
        again = [(seed, row) for seed, row in zip(seeds, rows, strict=True) if f"{RELEARNED}readable" in row]
        try:
            return cls(
                seeds=np.array(seeds, dtype=np.int64),
                **{name: np.stack([row[name] for row in rows]) for name in (*NAMES, "distance", "poison_given")},
                relearned_seeds=np.array([seed for seed, _ in again], dtype=np.int64),
                **{RELEARNED + name: _relearned(name, rows, [row for _, row in again]) for name in NAMES},
            )
        except (KeyError, ValueError) as error:
            raise BadMeasurements(f"Stress readings of one benchmark differ in shape: {error}.") from error

    @classmethod
    def from_bytes(cls, blob: bytes) -> Self:
        """Read what `to_bytes` wrote. Raises BadMeasurements."""
        try:
            return cls(**load(blob))
        except (SafetensorError, TypeError) as error:
            raise BadMeasurements(f"These are no stress readings: {error}.") from error

    def to_bytes(self) -> bytes:
        """Write all models into one safetensors blob."""
        return save({field.name: np.ascontiguousarray(getattr(self, field.name)) for field in fields(self)})


def sign_stress(reading: bytes, owner: str) -> bytes:
    """Write an owner into a single stress reading, so that no other one has the same bytes. Raises BadMeasurements."""
    return save(_parse(reading, 0), {"owner": owner})


def _relearned(name: str, rows: Sequence[dict[str, NDArray[Any]]], again: Sequence[dict[str, NDArray[Any]]]) -> Any:
    if again:
        return np.stack([row[RELEARNED + name] for row in again])
    return np.zeros((0, 0, *rows[0][name].shape[1:]), dtype=rows[0][name].dtype)


def _parse(blob: bytes, seed: int) -> dict[str, NDArray[Any]]:
    """Read one reading, and check everything that does not depend on the benchmark."""
    try:
        arrays = load(blob)
    except SafetensorError as error:
        raise BadMeasurements(f"The stress reading of seed {seed} is not a valid safetensors blob: {error}.") from error
    arrays.setdefault("poison_given", np.zeros(0, dtype=np.uint8))
    expected = {*NAMES, "distance", "poison_given"}
    if set(arrays) not in (expected, expected | {RELEARNED + name for name in NAMES}):
        raise BadMeasurements(f"The stress reading of seed {seed} contains {sorted(arrays)}.")
    for name, array in arrays.items():
        dtype = DTYPES[name.rpartition("_")[2]]
        if array.dtype != dtype or (array.dtype.kind == "f" and not np.isfinite(array).all()):
            raise BadMeasurements(f"In the stress reading of seed {seed}, {name} is not finite or is {array.dtype}.")
    return arrays
