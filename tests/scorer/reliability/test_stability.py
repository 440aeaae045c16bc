"""The order of entries against fewer runs, other bins and other numbers."""

import numpy as np
import pytest

from services.scorer.metrics import METRICS, Evidence
from services.scorer.reliability.stability import BINS, Entry, Stability, stability, stability_steps
from services.scorer.scoring import compute_suites
from tests.scorer.outputs import World
from tests.scorer.reliability.steps import finish

MODELS, DRAWS = 72, 4


def entries(remembered: list[float]) -> list[Entry]:
    """Make entries that remember so much, on one benchmark."""
    world = World(forget=30, controls=60)
    base = world.evidence(world.retrained(MODELS), oracle=MODELS)
    made = [base.of(world.models(world.unlearned(MODELS, remembered=share))) for share in remembered]
    return [Entry(lambda one=one: one, compute_suites(one)) for one in made]  # type: ignore[misc]


@pytest.fixture(scope="module")
def found() -> Stability:
    some = entries([0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 1.0])
    result, steps = finish(stability(some, models=MODELS, draws=DRAWS))
    assert steps == stability_steps(len(some), MODELS, DRAWS)
    return result


def test_clear_differences_keep_their_order_with_fewer_runs(found: Stability) -> None:
    drawn = [one for one in found.orders if one.bins is None]
    assert {(one.metric, one.models) for one in drawn} == {(name, size) for name in METRICS for size in (32, 64)}
    for one in drawn:
        if one.metric == "lethe-2":
            assert one.tau is not None
            assert one.tau.low <= one.tau.value <= one.tau.high
            assert one.tau.value > 0.8
            assert one.leader_stays is not None


def test_bins_are_compared_with_the_published_ones(found: Stability) -> None:
    assert [one.bins for one in found.orders if one.bins is not None] == list(BINS)


def test_numbers_that_measure_memory_agree(found: Stability) -> None:
    pairs = {(one.first, one.second): one for one in found.pairs}
    pair = pairs["lethe-2", "memory/memory"]
    assert (pair.entries, pair.tau.value > 0.7) == (7, True)
    assert ("lethe-2", "klom/forget_mean_oracle") not in pairs  # the oracle's own value orders nothing


def test_few_entries_have_no_tau_and_one_has_a_leader() -> None:
    result, _ = finish(stability(entries([0.0]), models=MODELS, draws=DRAWS))
    assert result.pairs == ()
    assert all(one.tau is None for one in result.orders)
    assert {one.leader_stays.value for one in result.orders if one.leader_stays} == {1.0}


def test_no_entries_give_nothing() -> None:
    assert finish(stability([], models=0, draws=DRAWS)) == (Stability((), ()), 0)


def test_runs_are_taken_alike_from_every_side() -> None:
    world = World(forget=10, controls=20)
    whole: Evidence = world.evidence(world.retrained(12), oracle=12, starts=np.arange(12))
    some = whole.take(np.array([3, 7]))
    assert np.array_equal(some.unlearned.forget_logits, whole.unlearned.forget_logits[[3, 7]])
    assert np.array_equal(some.oracle.forget_logits, whole.oracle.forget_logits[[3, 7]])
    assert some.starts is not None
    assert some.starts.tolist() == [3, 7]
