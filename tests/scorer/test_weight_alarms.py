"""Alarms that look at weights: entries that change outputs alone, and entries that could carry foreign models."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from services.scorer.metrics import METRICS, AlarmKind, Evidence, Models, Upload, raise_alarms
from tests.scorer.outputs import World

MODELS, PARAMETERS = 64, 5000
WEIGHTS = {AlarmKind.WEIGHTS_HARDLY_MOVED, AlarmKind.CARRIES_MODELS}
FITS_EIGHT = 8 * PARAMETERS // 2  # 4 bits a weight


def evidence(moved: float, *, remembered: float = 0.0, upload_bytes: int | None = None) -> Evidence:
    """Make an entry whose weights lie so far from the original, in distances of retrained models."""
    world = World()
    rng = np.random.default_rng(1)
    made = world.evidence(world.unlearned(MODELS, remembered=remembered))
    assert made.originals is not None

    def at(distance: float, models: Models) -> Models:
        return replace(models, weight_sketch=directions(rng, len(models)) * np.float32(distance))

    return replace(
        made,
        unlearned=at(moved, made.unlearned),
        oracle=at(1.0, made.oracle),
        originals=at(0.0, made.originals),
        upload=None if upload_bytes is None else Upload(upload_bytes, PARAMETERS),
    )


def directions(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    drawn = rng.normal(size=(count, 16))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)


def rung(found: Evidence) -> set[AlarmKind]:
    return {alarm.kind for alarm in raise_alarms(found, METRICS["lethe-2"](found))} & WEIGHTS


def test_outputs_that_forgot_while_weights_stayed_ring() -> None:
    assert rung(evidence(0.02)) == {AlarmKind.WEIGHTS_HARDLY_MOVED}
    assert rung(evidence(0.2)) == set()
    assert rung(evidence(0.02, remembered=1.0)) == set()  # doing nothing is no forgery


@pytest.mark.parametrize("moved", [0.7, 1.0])
def test_foreign_weights_ring_if_the_upload_could_hold_them(moved: float) -> None:
    assert rung(evidence(moved, upload_bytes=FITS_EIGHT)) == {AlarmKind.CARRIES_MODELS}
    assert rung(evidence(moved, upload_bytes=FITS_EIGHT - 1)) == set()
    assert rung(evidence(moved)) == set()  # measurements from a file: nobody knows what made them


def test_a_large_upload_alone_is_no_reason() -> None:
    assert rung(evidence(0.3, upload_bytes=10 * FITS_EIGHT)) == set()
    assert rung(evidence(1.0, remembered=1.0, upload_bytes=10 * FITS_EIGHT)) == set()


def test_the_alarm_says_how_many_models_would_fit() -> None:
    found = evidence(1.0, upload_bytes=1_000_000)
    message = next(
        alarm.message
        for alarm in raise_alarms(found, METRICS["lethe-2"](found))
        if alarm.kind is AlarmKind.CARRIES_MODELS
    )
    assert "100% as far" in message
    assert "hold 400 models" in message
