"""Balance falls only if a rank test is certain that forget examples look more retrained than controls."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from services.scorer.metrics.balance import BALANCED, LEVEL, Balance, balance_of, upper_limit
from services.scorer.metrics.evidence import Labels
from services.scorer.metrics.shifts import Outputs, Shifts
from tests.scorer.outputs import Array


def shifts(forget: Array, controls: Array, *, models: int = 64, starts: Labels | None = None) -> Shifts:
    """Compare models that are moved by these shifts with an oracle of standard normal margins."""
    rng = np.random.default_rng(3)
    sides = [rng.normal(size=(models, forget.shape[-1] + controls.shape[-1])) for _ in range(2)]
    sides[0] += np.concatenate([forget, controls], axis=-1)
    none = np.empty((models, 0))
    mine, theirs = (
        Outputs(side[:, : forget.shape[-1]], side[:, forget.shape[-1] :], none, np.ones((models, 1), dtype=bool))
        for side in sides
    )
    return Shifts.between(mine if starts is None else replace(mine, starts=starts), theirs)


@given(st.integers(0, 10_000), st.integers(3, 60), st.floats(-2, 2))
@settings(max_examples=40, deadline=None)
def test_the_limit_is_where_the_rank_test_begins_to_refuse(seed: int, examples: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    forget, controls = rng.normal(shift, 1, examples), rng.normal(size=200)
    limit = upper_limit(forget, controls)

    def p_value(against: float) -> float:
        test = mannwhitneyu(forget - against, controls, alternative="less", method="asymptotic", use_continuity=False)
        return float(test.pvalue)

    assert p_value(limit - 1e-6) >= LEVEL
    assert p_value(limit + 1e-6) <= LEVEL + 0.002  # one pair more or less
    assert upper_limit(forget + 3, controls) == pytest.approx(limit + 3)


@pytest.mark.parametrize("examples", [5, 60])
def test_a_true_shift_of_nothing_is_rarely_refused(examples: int) -> None:
    rng = np.random.default_rng(0)
    limits = [upper_limit(rng.normal(size=examples), rng.normal(size=200)) for _ in range(2000)]

    assert np.mean(np.array(limits) < 0) <= 3 * LEVEL


def test_too_few_examples_refuse_nothing() -> None:
    assert upper_limit(np.array([-100.0]), np.arange(10.0)) == np.inf


def test_balance_falls_from_the_threshold_without_a_jump() -> None:
    assert Balance(0.1, BALANCED).value == 1.0
    assert not Balance(0.1, BALANCED).pinned
    assert Balance(0.1, BALANCED - 1e-6).value == pytest.approx(1.0, abs=1e-4)
    assert Balance(0.1, BALANCED / 2).value == pytest.approx(2.0**-6)


def test_forget_examples_that_stay_while_controls_drift_are_pinned() -> None:
    rng = np.random.default_rng(1)
    drifts = 1.5 * rng.normal(size=300)
    assert balance_of(shifts(np.zeros(60), drifts)).pinned
    assert not balance_of(shifts(1.5 * rng.normal(size=60), drifts)).pinned
    assert not balance_of(shifts(np.full(60, 3.0), drifts)).pinned


def test_shifts_of_originals_do_not_cancel_out() -> None:
    """Eight originals drift by 1 each; their mean moves by a third of that, and squared shifts say 1."""
    rng = np.random.default_rng(2)
    starts = np.arange(64) % 8
    drifts = rng.normal(size=(8, 400))
    found = shifts(drifts[starts, :100], drifts[starts, 100:], starts=starts)
    alike = shifts(drifts[starts, :100], drifts[starts, 100:])

    assert np.mean(found.squares[1]) == pytest.approx(1, abs=0.15)
    assert np.mean(alike.squares[1]) == pytest.approx(1 / 8, abs=0.1)
    assert np.median(found.spreads[1]) == pytest.approx(0, abs=0.05)
    assert np.median(alike.spreads[1]) > 0.2
    pinned = shifts(np.zeros((64, 100)), drifts[starts, 100:], starts=starts)
    assert balance_of(pinned).pinned


def test_rounding_of_equal_models_accuses_nobody() -> None:
    """A deterministic entry's models differ only by rounding, which need not be alike for forget and test examples."""
    rng = np.random.default_rng(4)
    drifts = rng.normal(size=300)
    none, labels = np.empty((64, 0)), np.ones((64, 1), dtype=bool)
    forget, test = (
        middle + size * rng.normal(size=(64, len(middle)))
        for middle, size in ((drifts[:60], 1e-7), (drifts[60:], 1e-5))
    )
    oracle = Outputs(rng.normal(size=(64, 60)), rng.normal(size=(64, 240)), none, labels)

    assert not balance_of(Shifts.between(Outputs(forget, test, none, labels), oracle)).pinned
