"""The compiled epsilons against the definition, on draws of many shapes and where the published code has no answer."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benches.by_definition import example_epsilon
from services.scorer.metrics import BadArray, epsilons

Column = NDArray[np.float64]
Sides = tuple[Column, Column]
Draw = Callable[[np.random.Generator, int], Sides]

LEFT_STEP = 4 / 399


def _scaled(rng: np.random.Generator, n: int) -> Sides:
    spread, ratio = 10 ** rng.uniform(-1, 1), 10 ** rng.uniform(-1, 1)
    return spread * rng.normal(size=n), spread * ratio * rng.normal(size=n)


def _heavy_tailed(rng: np.random.Generator, n: int) -> Sides:
    return np.clip(rng.standard_t(1.5, n), -60, 60), np.clip(rng.standard_t(1.5, n), -60, 60)


def _mixed(rng: np.random.Generator, n: int) -> Sides:
    return 0.5 * rng.normal(size=n) + rng.choice([-1, 1], n), rng.normal(size=n)


def _tied(rng: np.random.Generator, n: int) -> Sides:
    grain = float(rng.choice([1.0, 0.5, 0.25, 0.1, 0.01, LEFT_STEP]))
    unlearned, retrained = np.rint(rng.normal(0, 2, n) / grain), np.rint(rng.normal(0.3, 2, n) / grain)
    return unlearned * grain, retrained * grain


def _on_thresholds(rng: np.random.Generator, n: int) -> Sides:
    low = float(rng.normal(0, 8))
    unlearned = low + LEFT_STEP * rng.integers(0, 1200, n).astype(np.float64)
    unlearned[0] = low
    return unlearned, low + LEFT_STEP * rng.integers(-300, 1500, n).astype(np.float64)


def _separated(rng: np.random.Generator, n: int) -> Sides:
    return rng.normal(rng.uniform(-6, 6), 0.3, n), rng.normal(size=n)


def _of_float32(rng: np.random.Generator, n: int) -> Sides:
    sides = rng.normal(5, 2, (2, n)).astype(np.float32).astype(np.float64)
    return sides[0], sides[1]


DRAWS: dict[str, Draw] = {
    "same": lambda rng, n: (rng.normal(size=n), rng.normal(size=n)),
    "shifted": lambda rng, n: (rng.normal(rng.uniform(-3, 3), 1, n), rng.normal(size=n)),
    "scaled": _scaled,
    "heavy_tailed": _heavy_tailed,
    "narrow": lambda rng, n: (rng.normal(40, 0.005, n), rng.normal(40, 0.01, n)),
    "mixed": _mixed,
    "tied": _tied,
    "on_thresholds": _on_thresholds,
    "separated": _separated,
    "nearly_peaky": lambda rng, n: (rng.normal(0, 10 ** rng.uniform(-2.3, -1.5), n), rng.normal(size=n)),
    "of_float32": _of_float32,
}


def _column(values: Column) -> Column:
    return values[:, None]


@pytest.mark.parametrize("shape", DRAWS)
def test_epsilons_equal_the_definition_when_drawn_from(shape: str) -> None:
    rng = np.random.default_rng([2023, *shape.encode()])
    for n in [8, 9, 16, 33, 64] * 4:
        sides = DRAWS[shape](rng, n)
        for unlearned, retrained in (sides, sides[::-1]):
            expected = example_epsilon(unlearned, retrained)
            assert expected is not None
            assert epsilons(_column(unlearned), _column(retrained))[0] == pytest.approx(expected, abs=1e-5)


def test_epsilons_equal_the_definition_at_512_models() -> None:
    rng = np.random.default_rng(512)
    for shape in ("same", "on_thresholds"):
        unlearned, retrained = DRAWS[shape](rng, 512)
        expected = example_epsilon(unlearned, retrained)
        assert epsilons(_column(unlearned), _column(retrained))[0] == pytest.approx(expected, abs=1e-5)


def test_epsilons_equal_the_definition_when_there_are_401_right_thresholds() -> None:
    rng = np.random.default_rng(401)
    tried = 0
    while tried < 10:
        unlearned, retrained = rng.normal(rng.normal(0, 8), 1, 24), rng.normal(0, 8, 24)
        width = np.ptp(unlearned)
        span = (unlearned.max() + 2.0) - (unlearned.min() + width - 2.0)
        if width > np.ptp(retrained) or np.ceil(span * 100) != 401:
            continue
        tried += 1
        expected = example_epsilon(unlearned, retrained)
        assert epsilons(_column(unlearned), _column(retrained))[0] == pytest.approx(expected, abs=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-40, 40), min_size=8, max_size=12),
    st.lists(st.integers(-40, 40), min_size=8, max_size=12),
    st.sampled_from([0.1, 0.25, LEFT_STEP, 0.01]),
)
def test_epsilons_equal_the_definition_for_any_confidences(left: list[int], right: list[int], grain: float) -> None:
    unlearned, retrained = np.array(left) * grain, np.array(right) * grain
    expected = example_epsilon(unlearned, retrained)
    got = epsilons(_column(unlearned), _column(retrained))[0]
    if expected is None:
        assert got in (0.0, 50.0)
    else:
        assert got == pytest.approx(expected, abs=1e-5)


def test_epsilons_by_hand_when_four_models_interleave() -> None:
    """Unlearned 0 1 2 3, retrained 0.5 higher: every attack errs at least once on one side and twice on the other."""
    unlearned = np.arange(4.0)[:, None]
    result = epsilons(unlearned, unlearned + 0.5)
    assert result.dtype == np.float32
    assert result[0] == pytest.approx(np.log((1 - 1e-5 - 0.5) / 0.25), abs=1e-6)


def test_epsilon_is_50_when_some_threshold_separates_the_sides() -> None:
    rng = np.random.default_rng(0)
    sides = rng.uniform(0, 1, (32, 5)), rng.uniform(2, 3, (32, 5))
    np.testing.assert_array_equal(epsilons(*sides), np.full(5, 50, np.float32))


def test_epsilon_is_50_when_one_range_is_below_a_hundredth_of_the_other() -> None:
    wide = np.array([*np.linspace(0, 1, 15), 0.505])[:, None]
    assert epsilons(0.5 + wide * 0.0099, wide)[0] == 50
    assert epsilons(wide, 0.5 + wide * 0.0099)[0] == 50
    assert epsilons(0.5 + wide * 0.0101, wide)[0] < 50


def test_epsilon_is_0_when_the_oracle_itself_is_handed_in() -> None:
    oracle = np.random.default_rng(1).normal(size=(64, 10))
    np.testing.assert_array_equal(epsilons(oracle[::-1], oracle), np.zeros(10, np.float32))


def test_epsilon_of_two_constants_is_0_when_equal_else_50() -> None:
    """The ranges' ratio is 0/0, and here no threshold of either family is kept: published, that is an error."""
    constant = np.full((16, 1), 1.5)
    assert example_epsilon(constant[:, 0], constant[:, 0]) is None
    assert epsilons(constant, constant)[0] == 0
    nearly = np.full((16, 1), 1.504)
    assert example_epsilon(constant[:, 0], nearly[:, 0]) is None
    assert epsilons(constant, nearly)[0] == 50
    assert epsilons(constant, constant + 1)[0] == 50


def test_epsilon_of_one_model_a_side_is_0_or_50() -> None:
    one = np.zeros((1, 1))
    assert epsilons(one, one)[0] == 0
    assert epsilons(one, one + 3)[0] == 50


def test_epsilons_use_each_sides_own_rate_when_the_numbers_of_models_differ() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        unlearned, retrained = rng.normal(0.5, 1, 12), rng.normal(size=40)
        expected = example_epsilon(unlearned, retrained)
        assert epsilons(_column(unlearned), _column(retrained))[0] == pytest.approx(expected, abs=1e-5)


def test_epsilons_do_not_depend_on_the_order_of_models_or_examples() -> None:
    rng = np.random.default_rng(3)
    unlearned, retrained = rng.normal(size=(40, 100)), rng.normal(size=(40, 100))
    result = epsilons(unlearned, retrained)
    order = rng.permutation(100)
    shuffled = epsilons(rng.permutation(unlearned)[:, order], rng.permutation(retrained)[:, order])
    np.testing.assert_array_equal(shuffled, result[order])


def test_epsilons_leave_their_input_alone() -> None:
    sides = np.random.default_rng(4).normal(size=(2, 16, 3))
    copy = sides.copy()
    epsilons(sides[0], sides[1])
    np.testing.assert_array_equal(sides, copy)


def _seeded(seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    return [float(value) for value in epsilons(rng.normal(size=(32, 80)), rng.normal(size=(32, 80)))]


def test_epsilons_agree_when_computed_in_forked_processes_and_concurrent_threads() -> None:
    expected = [_seeded(seed) for seed in range(4)]
    with multiprocessing.get_context("fork").Pool(2) as processes:
        assert processes.map(_seeded, range(4)) == expected
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(_seeded, range(4))) == expected


@pytest.mark.parametrize(
    ("unlearned", "retrained", "says", "axis", "index"),
    [
        (np.zeros(8), np.zeros((8, 3)), "unlearned has 1 axes", 1, None),
        (np.zeros((8, 3)), np.zeros((8, 3, 2)), "retrained has 3 axes", 2, None),
        (np.zeros((0, 3)), np.zeros((8, 3)), r"unlearned is empty on axis 0 \(model\)", 0, 0),
        (np.zeros((8, 3)), np.zeros((8, 0)), r"retrained is empty on axis 1 \(example\)", 1, 0),
        (np.zeros((8, 3)), np.zeros((8, 4)), "unlearned has 3 examples on axis 1, but retrained has 4", 1, 3),
        (np.array([["a"]]), np.zeros((1, 1)), "unlearned has dtype", None, None),
        (np.array([[0.0], [1.0], [np.nan]]), np.zeros((3, 1)), "unlearned is nan at model 2, example 0", 0, 2),
        (np.zeros((3, 1)), np.array([[0.0], [-np.inf], [1.0]]), "retrained is -inf at model 1, example 0", 0, 1),
        (np.array([[0.0], [2e6]]), np.zeros((2, 1)), r"unlearned has values beyond .* axis 0, index 1", 0, 1),
    ],
)
def test_epsilons_refuse_with_axis_and_index_when_given(
    unlearned: Column, retrained: Column, says: str, axis: int | None, index: int | None
) -> None:
    with pytest.raises(BadArray, match=says) as caught:
        epsilons(unlearned, retrained)
    assert (caught.value.axis, caught.value.index) == (axis, index)
