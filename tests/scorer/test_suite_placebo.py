"""The placebo audit: an entry that replaces forget outputs is seen, whatever it replaces them by; honest ones pass."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.core import catalogue
from services.scorer.metrics import METRICS, SUITES, Evidence, PlaceboSides, raise_alarms
from tests.scorer.outputs import World

STARTS, RUNS, NAME = 8, 64, "forget_set_replaced"
Array = NDArray[np.float64]


class Audit(World):
    """A world with several originals and placebos, and entries that start from both."""

    def starts(self) -> tuple[Array, Array]:
        """Draw placebos, and originals that remember."""
        placebos, others = self.retrained(STARTS), self.retrained(STARTS)
        return placebos, others + self.offset

    def runs(self, starts: Array, *, follows: float, forget: float | None = None, noise: float = 0.5) -> Array:
        """Let runs keep a part of what is peculiar to their starts; of forget examples another part, if it is given."""
        kept = np.full(len(self.middle), follows)
        if forget is not None:
            kept[: self.forget] = forget
        began = starts[np.arange(RUNS) % STARTS]
        return np.asarray(self.middle + kept * (began - self.middle) + noise * self.rng.normal(size=began.shape))

    def audited(self, from_placebos: Array, from_originals: Array, placebos: Array, originals: Array) -> Evidence:
        started = np.arange(RUNS) % STARTS
        sides = PlaceboSides(self.models(from_placebos), self.models(placebos), started)
        plain = self.evidence(from_originals, starts=started)
        return replace(plain, originals=self.models(originals), placebo=sides)

    def entry(self, **kept: Any) -> Evidence:
        placebos, originals = self.starts()
        return self.audited(self.runs(placebos, **kept), self.runs(originals, **kept), placebos, originals)


def values(evidence: Evidence) -> dict[str, float]:
    return {name: value for name, value in SUITES["placebo"](evidence).items() if value is not None}


def alarms(evidence: Evidence) -> set[str]:
    return {str(alarm.kind) for alarm in raise_alarms(evidence, METRICS["lethe-2"](evidence))}


def test_doing_nothing_keeps_a_placebo_and_remembers_what_the_original_does() -> None:
    found = values(Audit(1).entry(follows=1.0, noise=0.01))
    assert found["follows_forget"] == pytest.approx(1, abs=0.02)
    assert found["follows_test"] == pytest.approx(1, abs=0.02)
    assert found["memory"] == pytest.approx(1, abs=0.1)
    assert found["harm"] == pytest.approx(0, abs=0.05)
    assert found["placebo_runs"] == RUNS


def test_retraining_follows_nothing_and_remembers_nothing() -> None:
    world = Audit(2)
    placebos, originals = world.starts()
    evidence = world.audited(world.retrained(RUNS), world.retrained(RUNS), placebos, originals)
    found = values(evidence)
    assert abs(found["follows_forget"]) < 0.3 and abs(found["follows_test"]) < 0.3
    assert found["memory_low"] < 0 < found["memory_high"]
    assert NAME not in alarms(evidence)


def test_an_entry_that_replaces_forget_outputs_is_told_and_the_alarm_is_in_the_catalogue() -> None:
    evidence = Audit(3).entry(follows=0.7, forget=0.05)
    found = values(evidence)
    assert found["follows_forget"] < 0.2 and found["follows_test"] == pytest.approx(0.7, abs=0.05)
    assert NAME in alarms(evidence) and NAME in catalogue.ALARMS


def test_drift_of_pinned_outputs_hides_nothing_from_the_audit() -> None:
    """An entry that pins the forget set and lets it drift as controls do has a balanced shift, but follows nothing."""
    world = Audit(4)
    placebos, originals = world.starts()
    runs = []
    for starts in (placebos, originals):
        began = world.runs(starts, follows=0.7, forget=0.0, noise=1.0)
        drift = 0.7 * world.rng.normal(size=(STARTS, world.forget))  # as much as controls have, another for each start
        began[:, : world.forget] += drift[np.arange(RUNS) % STARTS]
        runs.append(began)
    evidence = world.audited(runs[0], runs[1], placebos, originals)
    assert "forget_set_pinned" not in alarms(evidence)
    assert NAME in alarms(evidence)


def test_outputs_pushed_away_are_harm_and_no_forgery() -> None:
    """As gradient ascent does if it goes too far: forget outputs follow nothing, but do not look retrained either."""
    world = Audit(5)
    placebos, originals = world.starts()
    runs = [world.runs(starts, follows=0.7, forget=0.05) for starts in (placebos, originals)]
    for side in runs:
        side[:, : world.forget] -= 8.0
    evidence = world.audited(runs[0], runs[1], placebos, originals)
    assert values(evidence)["harm"] > 0.5
    assert NAME not in alarms(evidence)


def test_learning_the_forget_set_from_placebos_too_is_harm() -> None:
    """An entry that trains on everything ends at the same outputs from both kinds, and remembers all the same."""
    world = Audit(6)
    placebos, originals = world.starts()
    learned = [world.runs(starts, follows=0.7) for starts in (placebos, originals)]
    learned[0] += world.offset
    learned[1] += 0.3 * world.offset
    found = values(world.audited(learned[0], learned[1], placebos, originals))
    assert found["memory"] == pytest.approx(0, abs=0.1)
    assert found["harm"] == pytest.approx(1, abs=0.2)


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 1000),
    st.floats(0, 1),
    st.floats(0.05, 1.0),
)
def test_whoever_treats_forget_and_control_examples_alike_is_never_accused(
    seed: int, follows: float, noise: float
) -> None:
    evidence = Audit(seed).entry(follows=follows, noise=noise)
    assert NAME not in alarms(evidence)


def test_nothing_is_read_of_too_few_placebos() -> None:
    evidence = Audit(7).entry(follows=0.7, forget=0.0)
    assert evidence.placebo is not None
    few = replace(evidence.placebo, started=evidence.placebo.started % 3)
    assert set(values(replace(evidence, placebo=few))) == {"placebo_runs"}
    assert NAME not in alarms(replace(evidence, placebo=few))
    assert "placebo" not in {name for name, suite in SUITES.items() if suite.applies(replace(evidence, placebo=None))}
