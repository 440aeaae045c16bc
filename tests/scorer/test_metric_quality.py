"""Points per example: buckets, their ends, and how many there are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scorer.metrics import forgetting_quality


@pytest.mark.parametrize(
    ("epsilon", "points"),
    [
        (0.0, 1),
        (0.49999997, 1),
        (0.5, 1 / 2),
        (1.0, 1 / 4),
        (1.6, 1 / 8),
        (6.24, 2**-12),
        (6.9999995, 2**-13),
        (7.0, 0),
    ],
)
def test_one_example_of_512_models_earns_when_its_epsilon_is(epsilon: float, points: float) -> None:
    assert forgetting_quality(np.array([epsilon], np.float32), 512) == points


@pytest.mark.parametrize(
    ("models", "buckets"), [(3, 2), (4, 4), (8, 4), (9, 6), (64, 10), (404, 12), (405, 14), (512, 14)]
)
def test_buckets_end_at_the_rounded_up_logarithm_of_the_other_models(models: int, buckets: int) -> None:
    last = np.array([buckets * 0.5 - 0.25], np.float32)
    assert forgetting_quality(last, models) == 2.0 ** (1 - buckets)
    assert forgetting_quality(last + np.float32(0.5), models) == 0


@pytest.mark.parametrize("models", [1, 2])
def test_quality_is_0_when_there_is_no_bucket(models: int) -> None:
    assert forgetting_quality(np.zeros(3, np.float32), models) == 0


def test_quality_is_the_mean_over_examples() -> None:
    assert forgetting_quality(np.array([0.1, 0.6, 1.1, 50.0], np.float32), 512) == (1 + 1 / 2 + 1 / 4) / 4


@given(st.lists(st.floats(0, 50, width=32), min_size=1, max_size=20), st.integers(3, 3000))
def test_quality_equals_the_bucket_loop_for_any_epsilons(values: list[float], models: int) -> None:
    ends = np.arange(0.5, np.ceil(np.log(models - 1)) + 1e-9, 0.5)
    points = [next((2.0**-k for k, end in enumerate(ends) if value < end), 0.0) for value in values]
    assert forgetting_quality(np.array(values, np.float32), models) == pytest.approx(float(np.mean(points)), abs=1e-15)
