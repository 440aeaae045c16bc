"""The suite `robustness`: 1 for the original and 0 for retrained models, whatever the stress; drift is no memory."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from services.scorer.metrics import SUITES, Evidence, Stressed, StressedSides
from tests.scorer.outputs import World

FORGET, CONTROLS, CONDITIONS, MOMENTS = 40, 60, 7, 2
MEMORIES = ("clean_memory", "int8_memory", "int4_memory", "perturbed_memory")


class Sides:
    """Margins of models whose originals know the forget set, by three standard deviations and more."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(3)
        self.middle = self.rng.normal(4, 2, FORGET + CONTROLS)
        self.offset = np.zeros(FORGET + CONTROLS)
        self.offset[:FORGET] = self.rng.uniform(3, 9, FORGET)
        self.drift = self.rng.normal(size=FORGET + CONTROLS)

    def models(
        self, count: int, remembered: NDArray[np.float64] | float = 0.0, relearned: float = 0.0, drift: float = 0.0
    ) -> Stressed:
        """Draw models that remember so much in each condition, and after relearning."""

        def margins(rows: int, share: Any) -> NDArray[np.float32]:
            noise = self.rng.normal(size=(count, rows, FORGET + CONTROLS))
            shifts = np.broadcast_to(share, rows)[:, None] * self.offset + drift * self.drift
            return np.asarray(self.middle + noise + shifts, dtype=np.float32)

        rows, again = margins(CONDITIONS, remembered), margins(MOMENTS, relearned)
        arrays: dict[str, Any] = {}
        for prefix, found in (("", rows), ("relearned_", again)):
            for name, part in (("forget", found[..., :FORGET]), ("control", found[..., FORGET:])):
                arrays |= {f"{prefix}{name}_margin": part, f"{prefix}{name}_given": (part > 0).astype(np.uint8)}
            arrays[f"{prefix}readable"] = np.ones(found.shape[:2], dtype=np.uint8)
        poison = np.zeros((count, 5), dtype=np.uint8)
        return Stressed(**arrays, distance=np.tile([2.0, 4.0], (count, 1)), poison_given=poison)

    def values(self, entry: Stressed, *, drift: float = 0.0) -> dict[str, float | None]:
        """Compute the suite beside originals that have also drifted."""
        stress = StressedSides(entry, self.models(64), self.models(8, 1.0, 1.0, drift), bits=(8, 4))
        world = World(forget=8, controls=12)
        models = world.models(world.retrained(4))
        evidence = Evidence(models, models, np.zeros(8, dtype=np.int64), stress=stress)
        return SUITES["robustness"](evidence)


@pytest.fixture
def sides() -> Sides:
    return Sides()


def test_the_original_has_1_and_retrained_models_0(sides: Sides) -> None:
    original, retrained = sides.values(sides.models(32, 1.0, 1.0)), sides.values(sides.models(32))
    for name in (*MEMORIES, "relearning", "relearning_early"):
        assert original[name] == pytest.approx(1, abs=0.1), name
        assert retrained[name] == pytest.approx(0, abs=0.1), name
        assert retrained[f"{name}_oracle"] == pytest.approx(0, abs=0.1), name
    assert (retrained["distance_to_original"], retrained["poison_success"]) == (0.5, 0.0)
    low, high = retrained["relearning_low"], retrained["relearning_high"]
    assert low is not None and high is not None and low < 0.1 and high > -0.1 and low < high


def test_stress_shows_what_clean_outputs_hide(sides: Sides) -> None:
    remembered = np.array([0, 0, 0.8, 0.5, 0.5, 0.5, 0.5])  # clean, int8, int4, copies
    found = sides.values(sides.models(32, remembered, relearned=0.9))
    values = [found[name] for name in (*MEMORIES, "relearning")]
    assert values == pytest.approx([0, 0, 0.8, 0.5, 0.9], abs=0.1)


def test_drift_of_forget_and_control_examples_alike_is_no_memory(sides: Sides) -> None:
    found = sides.values(sides.models(32, drift=5.0), drift=5.0)  # as all have that start from these originals
    assert found["relearning"] == pytest.approx(0, abs=0.35)
    alone = sides.values(sides.models(32, drift=2.0))
    assert alone["int4_memory"] == pytest.approx(0, abs=0.15)


def test_unreadable_models_are_counted_and_left_out(sides: Sides) -> None:
    def without(count: int) -> dict[str, float | None]:
        entry = sides.models(32, 1.0, 1.0)
        entry.readable[:count, 2] = 0
        entry.forget_margin[:count, 2] = entry.control_margin[:count, 2] = 0
        return sides.values(entry)

    few, many = without(8), without(20)
    assert few["int4_memory"] == pytest.approx(1, abs=0.1)
    assert many["int4_memory"] is None and many["int8_memory"] is not None
    assert few["unreadable"] == pytest.approx(8 / (32 * (CONDITIONS + MOMENTS)))


def test_without_relearned_models_there_is_no_relearning(sides: Sides) -> None:
    entry = sides.models(32, 1.0)
    none = {field.name: getattr(entry, field.name)[:0] for field in fields(entry) if "relearned" in field.name}
    found = sides.values(replace(entry, **none))
    assert found["relearning"] is None and found["relearned_labels"] is None
    assert found["clean_memory"] == pytest.approx(1, abs=0.1)
