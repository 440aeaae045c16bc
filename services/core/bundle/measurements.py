"""Measurements: the readings of many models, stacked along the seed axis. Every metric uses only these."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from services.core.errors import BadInput

__all__ = ["BadMeasurements", "Measurements"]


class BadMeasurements(BadInput):
    code = "bad_measurements"


@dataclass(frozen=True, slots=True)
class Measurements:
    """Readings of N models on S forget, T test and P probed retain examples, laid out as in `core.bundle.readings`."""

    forget_logits: NDArray[np.float32]  # [N, S, classes]
    test_class: NDArray[np.uint8]  # [N, T]
    test_margin: NDArray[np.float32]  # [N, T]
    test_entropy: NDArray[np.float16]  # [N, T]
    retain_class: NDArray[np.uint8]  # [N, P]
    retain_margin: NDArray[np.float32]  # [N, P]
    retain_entropy: NDArray[np.float16]  # [N, P]
    retain_correct: NDArray[np.uint8]  # [N, ceil(retain / 8)], packed bits
    checkpoint_sha256: NDArray[np.uint8]  # [N, 32]
    weight_sketch: NDArray[np.float32]  # [N, 16]

    def __len__(self) -> int:
        return len(self.forget_logits)

    @classmethod
    def stack(cls, blobs: Sequence[bytes]) -> Self:
        """Stack single readings, each a safetensors blob, in the given order.

        Raises BadMeasurements, naming the position, if a blob is damaged or has another shape.
        """
        if not blobs:
            raise BadMeasurements("There are no readings to stack. Give at least one.")
        rows = [_parse(blob, position) for position, blob in enumerate(blobs)]
        first = rows[0]
        for position, row in enumerate(rows):
            for name, array in row.items():
                if array.shape != first[name].shape or array.dtype != first[name].dtype:
                    raise BadMeasurements(
                        f"In reading {position}, {name} is {array.dtype}{list(array.shape)}; "
                        f"in reading 0 it is {first[name].dtype}{list(first[name].shape)}."
                    )
        return cls(**{name: np.stack([row[name] for row in rows]) for name in _names(cls)})

    @classmethod
    def from_bytes(cls, blob: bytes) -> Self:
        """Read stacked measurements written by `to_bytes`."""
        return cls(**_parse(blob, 0))

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read stacked measurements from a file."""
        return cls.from_bytes(path.read_bytes())

    @staticmethod
    def sign(reading: bytes, owner: str) -> bytes:
        """Write an owner into a single reading, so that its bytes differ from those of every other owner's.

        Raises BadMeasurements.
        """
        return save(_parse(reading, 0), {"owner": owner})

    def first(self, models: int) -> Self:
        """Keep only the first models."""
        return type(self)(**{name: getattr(self, name)[:models] for name in _names(type(self))})

    def to_bytes(self) -> bytes:
        """Write all models into one safetensors blob."""
        return save({name: np.ascontiguousarray(getattr(self, name)) for name in _names(type(self))})


def _names(cls: type[Measurements]) -> list[str]:
    return [field.name for field in fields(cls)]


def _parse(blob: bytes, position: int) -> dict[str, NDArray[Any]]:
    try:
        arrays = load(blob)
    except SafetensorError as error:
        raise BadMeasurements(f"Reading {position} is not a valid safetensors blob: {error}.") from error
    names = _names(Measurements)
    if set(arrays) != set(names):
        raise BadMeasurements(f"Reading {position} contains {sorted(arrays)}; expected {sorted(names)}.")
    return arrays
