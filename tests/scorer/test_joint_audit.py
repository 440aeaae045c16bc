"""The joint audit proves nothing of equals, and sees what no single example shows."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.scorer.metrics.bounds import bound_table
from services.scorer.metrics.joint import audit_jointly

Array = NDArray[np.float64]


def margins(rng: np.random.Generator, models: int, loadings: Array, shared: float) -> Array:
    factors = rng.normal(size=(models, len(loadings))) @ loadings * np.sqrt(shared / len(loadings))
    return np.asarray(factors + np.sqrt(1 - shared) * rng.normal(size=(models, loadings.shape[1])))


def draw(seed: int, models: int, examples: int, shared: float) -> tuple[Array, Array, np.random.Generator]:
    rng = np.random.default_rng(seed)
    loadings = rng.normal(size=(4, examples))
    return margins(rng, models, loadings, shared), margins(rng, models, loadings, shared), rng


@pytest.mark.parametrize(("models", "examples"), [(64, 60), (64, 300), (256, 60)])
@pytest.mark.parametrize("shared", [0.1, 0.4, 0.8])
def test_equals_are_hardly_ever_told_apart(models: int, examples: int, shared: float) -> None:
    proven = [audit_jointly(*draw(seed, models, examples, shared)[:2]).bound for seed in range(20)]
    assert not any(proven)


def test_a_mixture_of_biases_is_seen() -> None:
    unlearned, oracle, rng = draw(0, 512, 60, 0.1)
    sides = np.where(rng.permutation(512) % 2, 0.5, -0.5)[:, None]
    found = audit_jointly(unlearned + sides, oracle)
    assert 3.0 < found.bound <= found.largest
    assert found.largest == pytest.approx(bound_table(256, 256, claims=1).max())


def test_right_marginals_of_independent_examples_are_seen() -> None:
    unlearned, oracle, rng = draw(1, 512, 60, 0.4)
    shuffled = np.stack([rng.permutation(column) for column in unlearned.T], axis=1)
    assert audit_jointly(shuffled, oracle).bound > 2.5


def test_few_models_repeated_are_seen() -> None:
    unlearned, oracle, _ = draw(2, 512, 60, 0.1)
    assert audit_jointly(np.tile(unlearned[:64], (8, 1)), oracle).bound > 3.0


def test_a_shift_is_seen_and_units_do_not_matter() -> None:
    unlearned, oracle, rng = draw(3, 256, 40, 0.3)
    scale, offset = rng.uniform(0.1, 10, 40), rng.normal(0, 5, 40)
    bound = audit_jointly(unlearned + 0.5, oracle).bound
    assert bound > 1.0
    assert audit_jointly((unlearned + 0.5) * scale + offset, oracle * scale + offset).bound == pytest.approx(bound)


def test_too_few_models_and_constant_outputs_prove_nothing() -> None:
    unlearned, oracle, _ = draw(4, 12, 20, 0.3)
    assert audit_jointly(unlearned, oracle).bound == 0.0
    constant = np.ones((64, 20))
    assert audit_jointly(constant, constant).bound == 0.0
