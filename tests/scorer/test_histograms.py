"""Histograms that pages draw: nothing is lost between a score and its picture."""

import math

import numpy as np
import pytest

from services.scorer.histograms import CONFIDENCE_BINS, Buckets, Histograms, Shared, choose
from services.scorer.metrics import METRICS, Sides
from tests.scorer.outputs import World


def test_buckets_agree_with_the_definition() -> None:
    epsilons = np.random.default_rng(6).uniform(0, 9, 300)
    for models in (3, 8, 64, 512):
        ends = [0.5 * (k + 1) for k in range(40) if 0.5 * (k + 1) <= math.ceil(math.log(models - 1))]
        expected = [sum(end - 0.5 <= value < end for value in epsilons) for end in ends]
        found = Buckets.of(models).fill(epsilons).tolist()
        assert found == [*expected, len(epsilons) - sum(expected)]


def test_every_value_is_counted_once_however_far_it_lies() -> None:
    random = np.random.default_rng(0)
    unlearned, oracle = random.normal(0, 1, 500), random.normal(2, 1, 300)
    unlearned[:2] = -1e6, 1e6

    shared = Shared.of(unlearned, oracle)

    assert (shared.unlearned.sum(), shared.oracle.sum()) == (500, 300)
    assert len(shared.unlearned) == len(shared.oracle) == CONFIDENCE_BINS
    assert -5 < shared.low < shared.high < 8
    assert np.average(np.arange(CONFIDENCE_BINS), weights=shared.unlearned) < np.average(
        np.arange(CONFIDENCE_BINS), weights=shared.oracle
    )


def test_constant_confidences_have_bins_of_their_own() -> None:
    shared = Shared.of(np.full(8, 3.0), np.full(8, 3.0))

    assert shared.low < 3.0 < shared.high
    assert shared.unlearned.tolist() == shared.oracle.tolist()


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_a_score_is_counted_whole(metric: str) -> None:
    world = World(forget=24)
    evidence = world.evidence(world.unlearned(32, remembered=0.1), oracle=32)
    card = METRICS[metric](evidence)

    found = Histograms.of(card, Sides.of(evidence))

    assert found.epsilons.sum() == 24
    assert found.confidences.unlearned.sum() == found.confidences.oracle.sum() == 32 * 24
    assert [one.place for one in found.examples] == ["best", "best", "median", "median", "worst", "worst"]
    for one in found.examples:
        assert one.epsilon == card.epsilons[one.example]
        assert one.confidences.unlearned.sum() == one.confidences.oracle.sum() == 32
    assert found.examples[-1].epsilon == card.epsilons.max()


def test_of_few_examples_all_are_chosen() -> None:
    assert choose(np.array([0.5, 0.1, 0.3])) == [("all", 1), ("all", 2), ("all", 0)]
