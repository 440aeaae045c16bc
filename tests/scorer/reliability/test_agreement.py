"""Kendall's tau-b, beside scipy's, and its interval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from services.scorer.reliability.agreement import agreement, tau

SCORES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=25)


@given(SCORES)
def test_tau_equals_scipys_with_and_without_ties(pairs: list[tuple[int, int]]) -> None:
    first, second = np.array(pairs).T
    expected = kendalltau(first, second).statistic
    found = tau(first, second)
    assert (found is None) == bool(np.isnan(expected))
    assert found is None or found == pytest.approx(expected)


def test_interval_holds_the_true_agreement_of_correlated_scores() -> None:
    """Of a bivariate normal with correlation r, tau is 2/pi arcsin(r)."""
    random, correlation, held = np.random.default_rng(1), 0.7, 0
    truth = 2 / np.pi * np.arcsin(correlation)
    for _ in range(60):
        first, noise = random.normal(size=(2, 30))
        found = agreement(first, correlation * first + np.sqrt(1 - correlation**2) * noise, random)
        assert found is not None
        held += found.low <= truth <= found.high
    assert held >= 50


def test_too_few_entries_or_no_order_give_nothing() -> None:
    random = np.random.default_rng(0)
    assert agreement(np.arange(5.0), np.arange(5.0), random) is None
    assert agreement(np.arange(8.0), np.zeros(8), random) is None
