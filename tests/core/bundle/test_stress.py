"""Stress readings: stacked by seed, with relearning only where it was read, and refused if damaged."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load, save

from services.core.bundle.measurements import BadMeasurements
from services.core.bundle.stress import StressReadings, sign_stress


def reading(value: float, *, relearned: bool, examples: int = 3) -> bytes:
    arrays: dict[str, NDArray[Any]] = {
        "forget_margin": np.full((2, examples), value, np.float32),
        "forget_given": np.ones((2, examples), np.uint8),
        "control_margin": np.full((2, 4), value, np.float32),
        "control_given": np.ones((2, 4), np.uint8),
        "readable": np.ones(2, np.uint8),
    }
    again = {f"relearned_{name}": array[:1] for name, array in arrays.items()} if relearned else {}
    return save(arrays | again | {"distance": np.array([value, 1.0])})


def test_seeds_without_relearning_are_told_and_none_is_invented() -> None:
    found = StressReadings.stack([reading(seed, relearned=seed < 2) for seed in (0, 1, 5)], [0, 1, 5])
    again = StressReadings.from_bytes(found.to_bytes())
    assert again.seeds.tolist() == [0, 1, 5]
    assert again.relearned_seeds.tolist() == [0, 1]
    assert again.forget_margin[:, 0, 0].tolist() == [0, 1, 5]
    assert again.relearned_forget_margin.shape == (2, 1, 3)
    assert again.poison_given.shape == (3, 0)
    none = StressReadings.stack([reading(1, relearned=False)], [3])
    assert none.relearned_seeds.size == 0


def test_an_owner_makes_bytes_differ_and_nothing_else() -> None:
    plain = reading(1, relearned=True)
    one, other = sign_stress(plain, "a/0"), sign_stress(plain, "b/0")
    assert one != other
    assert np.array_equal(load(one)["forget_margin"], load(plain)["forget_margin"])


@pytest.mark.parametrize(
    "blob",
    [
        b"nonsense",
        save({"forget_margin": np.zeros((2, 3), np.float32)}),
        save(load(reading(1, relearned=False)) | {"distance": np.array([np.nan, 1.0])}),
        save(load(reading(1, relearned=False)) | {"forget_given": np.zeros((2, 3), np.int64)}),
    ],
)
def test_a_damaged_reading_is_refused(blob: bytes) -> None:
    with pytest.raises(BadMeasurements):
        StressReadings.stack([blob], [0])


def test_readings_of_two_benchmarks_do_not_stack() -> None:
    with pytest.raises(BadMeasurements, match="differ in shape"):
        StressReadings.stack([reading(1, relearned=False), reading(1, relearned=False, examples=5)], [0, 1])
