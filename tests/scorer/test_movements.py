"""How entries move weights: the same method under other seeds is near itself, and honest others are not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scorer.metrics import Evidence, Models, Movement
from services.scorer.metrics.movements import CLEAR, difference

WIDTH = 16


def evidence_of(sketches: np.ndarray, origins: np.ndarray, *, spread: bool = True) -> Evidence:
    """Evidence of runs that start from these originals in turn; of a notebook if they are not spread."""
    runs = len(sketches)

    def models(rows: np.ndarray) -> Models:
        nothing = np.zeros((len(rows), 1, 2), np.float32)
        ones = np.ones(len(rows))
        return Models(nothing, ones, ones, weight_sketch=rows.astype(np.float32))

    starts = np.arange(runs) % len(origins) if spread and 1 < len(origins) < runs else None
    return Evidence(
        models(sketches),
        models(sketches),
        np.zeros(1, np.int64),
        originals=models(origins),
        starts=starts,
        independent=spread,
    )


def runs_of(way: np.ndarray, origins: np.ndarray, *, runs: int, noise: float, seed: int) -> np.ndarray:
    """Sketches of runs that each go a way from their original, give or take."""
    starts = np.arange(runs) % len(origins)
    scatter = np.random.default_rng(seed).normal(scale=noise, size=(runs, WIDTH))
    return np.asarray(origins[starts] + way[starts] + scatter)


def way(seed: int, originals: int, length: float) -> np.ndarray:
    drawn = np.random.default_rng([7, seed]).normal(size=(originals, WIDTH))
    return np.asarray(drawn * length / np.linalg.norm(drawn))


@given(
    seed=st.integers(0, 2**32 - 1),
    originals=st.sampled_from([1, 2, 8]),
    length=st.sampled_from([0.01, 1.0, 30.0]),
    noise=st.sampled_from([0.0, 0.02, 0.1]),
)
def test_other_seeds_change_little_and_another_way_much(seed: int, originals: int, length: float, noise: float) -> None:
    origins = np.random.default_rng([1, seed]).normal(scale=5, size=(originals, WIDTH))
    first, second = way(seed, originals, length), way(seed + 1, originals, length)
    scale = noise * length / np.sqrt(originals)

    def measured(path: np.ndarray, key: int) -> Movement:
        found = Movement.of(evidence_of(runs_of(path, origins, runs=64, noise=scale, seed=key), origins))
        assert found is not None
        return found

    mine, again, other = measured(first, seed), measured(first, seed + 1), measured(second, seed + 2)
    assert difference(mine, again) < 0.2
    assert difference(mine, other) > 0.5
    assert difference(mine, other) == pytest.approx(difference(other, mine))


def test_half_the_way_is_another_movement() -> None:
    origins, path = np.full((1, WIDTH), 3.0), way(1, 1, 2.0)
    whole, half = (
        Movement.of(evidence_of(runs_of(one, origins, runs=16, noise=0, seed=0), origins)) for one in (path, path / 2)
    )
    assert whole is not None
    assert half is not None
    assert difference(whole, half) == pytest.approx(np.sqrt(0.25 / 0.625), rel=1e-5)


@pytest.mark.parametrize(
    ("length", "noise"), [(0.0, 0.0), (1e-6, 0.0), (0.0, 1.0), (0.5, 1.0)], ids=["still", "rounding", "noise", "lost"]
)
def test_what_has_no_clear_direction_is_compared_with_nothing(length: float, noise: float) -> None:
    origins = np.random.default_rng(3).normal(scale=5, size=(8, WIDTH))
    sketches = runs_of(way(2, 8, length), origins, runs=32, noise=noise, seed=4)
    assert Movement.of(evidence_of(sketches, origins)) is None


def test_noise_is_taken_off_the_length() -> None:
    origins = np.zeros((4, WIDTH)) + 2.0
    path = way(5, 4, 3.0)
    squares = []
    for seed in range(200):
        found = Movement.of(evidence_of(runs_of(path, origins, runs=32, noise=0.3, seed=seed), origins))
        assert found is not None
        assert found.squared > CLEAR**2 * found.noise
        squares.append(found.squared)
    assert np.mean(squares) == pytest.approx(9.0, abs=4 * np.std(squares) / np.sqrt(len(squares)))


def test_movements_from_other_numbers_of_originals_have_no_distance() -> None:
    one = np.full((1, WIDTH), 2.0)
    eight = np.random.default_rng(3).normal(size=(8, WIDTH))
    few, many = (
        Movement.of(evidence_of(runs_of(way(1, len(origins), 1.0), origins, runs=32, noise=0, seed=0), origins))
        for origins in (one, eight)
    )
    assert few is not None
    assert many is not None
    assert difference(few, many) == float("inf")


def test_runs_of_a_notebook_start_from_the_first_original() -> None:
    origins = np.random.default_rng(3).normal(size=(4, WIDTH))
    sketches = runs_of(way(1, 1, 1.0), origins[:1], runs=32, noise=0, seed=0)
    found = Movement.of(evidence_of(sketches, origins, spread=False))
    assert found is not None
    assert found.mean == pytest.approx(way(1, 1, 1.0), abs=1e-5)


def test_runs_with_an_original_each_and_few_runs_are_not_compared() -> None:
    origins = np.random.default_rng(3).normal(size=(16, WIDTH))
    each = evidence_of(runs_of(way(1, 16, 1.0), origins, runs=16, noise=0, seed=0), origins)
    assert Movement.of(each) is None
    few = evidence_of(runs_of(way(1, 8, 1.0), origins[:8], runs=12, noise=0, seed=0), origins[:8])
    assert Movement.of(few) is None
    assert Movement.of(replace(few, originals=None)) is None
