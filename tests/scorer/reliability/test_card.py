"""The metric card: limits that hold for retrained models, and power for models that remember."""

import numpy as np
import pytest

from services.core.models.reliability import MetricCard
from services.scorer.metrics import SUITES, Evidence
from services.scorer.reliability.card import LEAST_MODELS, PLANTED, card_steps, metric_card
from tests.scorer.outputs import World
from tests.scorer.reliability.steps import finish

DRAWS = 38


def benchmark(models: int) -> Evidence:
    world = World(forget=30, controls=60)
    return world.evidence(world.retrained(models), oracle=models)


@pytest.fixture(scope="module")
def card() -> MetricCard:
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(SUITES, "average-gap")  # it fits an attack to each model, which takes most of the time
        found, steps = finish(metric_card(benchmark(32), models=16, draws=DRAWS))
    assert found is not None
    assert (found.models, found.draws, steps) == (16, DRAWS, card_steps(DRAWS))
    return found


def test_retrained_models_are_rarely_beyond_the_limits(card: MetricCard) -> None:
    """Each side is exceeded in 5% of draws; over all columns, the mean of both sides' shares shows it."""
    assert len(card.columns) > 10
    assert np.mean([one.false_alarms.value for one in card.columns]) < 0.13
    assert all(one.low is None or one.high is None or one.low <= one.high for one in card.columns)


def test_planted_memory_is_found_the_more_the_more_is_kept(card: MetricCard) -> None:
    columns = {(one.suite, one.name): one for one in card.columns}
    for number in ((None, "lethe-2"), ("klom", "forget_mean"), ("u-lira", "auc")):
        power = [columns[number].power[f"{kept:g}"].value for kept in PLANTED]
        assert power[-1] == 1.0, number
        assert power == sorted(power), number


def test_columns_of_controls_do_not_see_memory_of_forget_examples(card: MetricCard) -> None:
    (klom,) = [one for one in card.columns if (one.suite, one.name) == ("klom", "test_mean")]
    assert {one.value for one in klom.power.values()} == {klom.false_alarms.value}


def test_benchmark_with_too_few_models_has_no_card() -> None:
    found, steps = finish(metric_card(benchmark(LEAST_MODELS + 7), models=64, draws=DRAWS))
    assert (found, steps) == (None, 0)


def test_too_few_draws_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 38 draws"):
        next(metric_card(benchmark(48), models=24, draws=37))
