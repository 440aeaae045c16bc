"""What the best of several equal draws gains by chance, against tabulated order statistics."""

import numpy as np
import pytest

from services.scorer.metrics.uncertainty import error_of_halves
from services.scorer.standings.luck import best_of, error_of

TABULATED = {1: 0.0, 2: 0.56419, 3: 0.84628, 5: 1.16296, 10: 1.53875, 20: 1.86748, 100: 2.50759}  # Harter, 1961


@pytest.mark.parametrize(("draws", "expected"), TABULATED.items())
def test_the_largest_of_normal_draws_is_the_tabulated_one(draws: int, expected: float) -> None:
    assert best_of(draws) == pytest.approx(expected, abs=1e-4)


def test_the_error_of_stored_gaps_is_that_of_their_halves() -> None:
    halves = np.random.default_rng(0).uniform(size=(16, 2))
    gaps = halves[:, 0] - halves[:, 1]
    assert error_of(gaps.tobytes()) == pytest.approx(error_of_halves(halves))
    assert error_of(b"") == 0.0
