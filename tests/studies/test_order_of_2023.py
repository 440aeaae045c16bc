"""The comparison with the order of 2023: rates follow one rule, a correlation says how far the order is the same."""

import ast
from dataclasses import replace

import numpy as np
import pytest

from services.benchmarks.catalogue import DEFINITIONS
from services.benchmarks.catalogue.faces import RATE_OF_SMALL
from services.benchmarks.recipes import RECIPE_2023, Recipe
from services.scorer.metrics import Estimate, ScoreCard
from studies.method_sweeps.constants import constant_of
from studies.order_of_2023.comparing import LEAST, Ordered, above, correlations_beside, rank_correlation
from studies.order_of_2023.entries import AS_MANY_STEPS, GRID, RATES, READINGS, STARTER, grid, method, winners

SPLITS = 16


def card(score: float, spread: float = 0.0) -> ScoreCard:
    halves = score + spread * np.linspace(-1, 1, 2 * SPLITS).reshape(SPLITS, 2)
    own = Estimate(score, score - spread, score + spread)
    return ScoreCard(
        metric="neurips-2023",
        forgetting_quality=own,
        utility=Estimate(1.0, 1.0, 1.0),
        final_score=own,
        epsilons=np.zeros(4, dtype=np.float32),
        points=np.zeros(4),
        models=32,
        distinct_models=32,
        effective_models=32,
        flags=(),
        halves=halves,
    )


def ordered(scores: list[float], spread: float = 0.0) -> list[Ordered]:
    return [Ordered(one.title, one.published, card(score, spread)) for one, score in zip(GRID, scores, strict=True)]


def test_training_and_entries_have_ten_times_the_rates_of_2023() -> None:
    """Steps are a tenth: 38 batches an epoch instead of 375."""
    recipe = DEFINITIONS["faces-small"].recipe
    assert isinstance(recipe, Recipe)
    assert replace(recipe, learning_rate=RECIPE_2023.learning_rate) == RECIPE_2023
    assert recipe.learning_rate == pytest.approx(10 * RECIPE_2023.learning_rate)
    assert RATE_OF_SMALL == 10

    scaled, published = READINGS
    source = grid(STARTER, scaled).source.decode()
    assert constant_of(source, "LEARNING_RATE").value == pytest.approx(0.01)
    assert (constant_of(source, "BATCH").value, constant_of(source, "EPOCHS").value) == (64, 1)
    assert constant_of(grid(STARTER, published).source.decode(), "LEARNING_RATE").value == 0.001
    longer = grid(STARTER, AS_MANY_STEPS).source.decode()
    assert (constant_of(longer, "LEARNING_RATE").value, constant_of(longer, "EPOCHS").value) == (0.001, 10)


def test_every_winner_with_a_baseline_takes_part_and_its_rates_are_known() -> None:
    assert set(winners()) <= set(RATES)
    for name in RATES:
        scaled, plain = (method(name, reading).source.decode() for reading in READINGS)
        ast.parse(scaled)
        for constant in RATES[name]:
            assert constant_of(scaled, constant).value == pytest.approx(10 * constant_of(plain, constant).value)


def test_the_published_order_correlates_fully_and_its_reverse_not_at_all() -> None:
    scores = [one.published for one in GRID]
    assert rank_correlation(ordered(scores)).value == pytest.approx(1.0)
    assert rank_correlation(ordered([-one for one in scores])).value == pytest.approx(-1.0)
    assert rank_correlation(ordered([0.01] * len(GRID))).value == 0.0


def test_two_neighbours_exchanged_cost_what_the_definition_says() -> None:
    """Spearman: 1 - 6 sum d^2 / (n (n^2 - 1)), with d = 1 for the two exchanged."""
    scores = [one.published for one in GRID]
    scores[0], scores[1] = scores[1], scores[0]
    found = rank_correlation(ordered(scores))
    assert found.value == pytest.approx(1 - 6 * 2 / (8 * 63))
    assert found.value > LEAST


def test_noise_between_runs_widens_the_interval() -> None:
    scores = [one.published for one in GRID]
    still, loud = rank_correlation(ordered(scores)), rank_correlation(ordered(scores, spread=0.05))
    assert still.low == still.high == pytest.approx(1.0)
    assert loud.low < 0.5 < loud.high <= 1.0


def test_other_numbers_have_correlations_of_their_own() -> None:
    """F and utility of these cards: F is the final score, and all utilities are equal."""
    entries = ordered([one.published for one in GRID])
    reverse = [
        replace(one, others=(replace(one.card, metric="x", final_score=Estimate(-(one.published or 0), 0, 0)),))
        for one in entries
    ]
    found = correlations_beside(reverse)
    assert found == {"F alone": pytest.approx(1.0), "utility alone": 0.0, "`x`": pytest.approx(-1.0)}


def test_only_intervals_apart_are_certain() -> None:
    assert above(card(0.05, 0.01), card(0.02, 0.01)) == "yes"
    assert above(card(0.02, 0.01), card(0.05, 0.01)) == "no"
    assert above(card(0.03, 0.01), card(0.02, 0.01)) == "uncertain"
