"""What an entry costs beside the trainer: the pure rule, from times of runs."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.core.references.planning import beside
from services.scorer.costs import RunTime, cost_of

SEEDS = st.integers(1, 1200)


def runs(*run_s: float, trainers: tuple[float, ...] = (1.0,), sandbox: str = "a") -> Iterator[RunTime]:
    """Runs of one sandbox, with the trainer beside the first of them; the clock shows twice the processor time."""
    for place, seconds in enumerate(run_s):
        trainer_s = trainers[place] if place < len(trainers) else None
        yield RunTime(sandbox, 2 * seconds, seconds, trainer_s and 2 * trainer_s, trainer_s)


def test_a_cost_is_the_ratio_of_medians() -> None:
    found = cost_of(runs(0.19, 0.2, 0.21, trainers=(1.9, 2.0, 2.2)))

    assert found is not None
    assert (found.ratio, found.run_s, found.trainer_s, found.empty_s) == pytest.approx((0.1, 0.2, 2.0, 0.0))
    assert (str(found.of), found.runs, found.trainer_runs) == ("processor", 3, 3)
    assert 0 < found.low < found.ratio < found.high


def test_what_an_empty_run_takes_counts_for_neither_side() -> None:
    """One epoch of forty costs a fortieth, though a process that does nothing takes seven of them."""
    there = [one._replace(empty_s=0.28, empty_cpu_s=0.14) for one in runs(0.164, 0.165, 0.166, trainers=(1.14,))]

    found = cost_of(there)

    assert found is not None
    assert (found.ratio, found.empty_s) == pytest.approx((0.025, 0.14))
    assert 0 < found.low < found.ratio < found.high


@given(own=st.floats(0, 2), empty=st.floats(0, 3), trainer=st.floats(0.01, 3))
def test_a_cost_is_never_negative_and_always_finite(own: float, empty: float, trainer: float) -> None:
    there = [one._replace(empty_s=empty, empty_cpu_s=empty) for one in runs(own, own, trainers=(trainer, trainer))]

    found = cost_of(there)

    assert found is not None
    assert 0 <= found.low <= found.ratio <= found.high < 1e6
    assert found.ratio == 0 or own > empty


def test_no_cost_without_a_trainers_run() -> None:
    assert cost_of(runs(0.1, 0.2, trainers=())) is None
    assert cost_of([]) is None


def test_an_entry_that_retrains_in_49_percent_of_its_runs_hides_nothing() -> None:
    found = cost_of(runs(*[0.01] * 51, *[1.0] * 49))

    assert found is not None and found.ratio == pytest.approx(0.4951)


def test_a_run_that_nobody_counted_makes_the_clock_count_for_all() -> None:
    there = [*runs(0.1, 0.1, 0.1)]
    there[2] = there[2]._replace(run_s=0.8, cpu_s=None)

    found = cost_of(there)

    assert found is not None
    assert str(found.of) == "clock"
    assert found.ratio == pytest.approx((0.2 + 0.2 + 0.8) / 3 / 2)


@settings(deadline=None)
@given(slower=st.floats(0.2, 5))
def test_how_fast_each_worker_is_changes_nothing(slower: float) -> None:
    """Were times pooled, two unlike workers would give a median of neither."""
    mixed = [*runs(0.1, 0.1), *runs(0.1 * slower, 0.1 * slower, trainers=(slower,), sandbox="b")]

    found = cost_of([*mixed, *runs(7.0, trainers=(), sandbox="c")])

    assert found is not None
    assert found.ratio == pytest.approx(0.1)
    assert (found.runs, found.trainer_runs) == (4, 2)


@pytest.mark.parametrize("trainers", [1, 2, 4, 8])
@pytest.mark.parametrize(("work_s", "empty_s"), [(0.2, 0.0), (0.2, 0.15), (0.02, 0.15)])
def test_the_interval_covers_the_true_ratio(trainers: int, work_s: float, empty_s: float) -> None:
    """All kinds of runs vary by 5%, as on a busy machine."""
    random, covered, rounds = np.random.default_rng(5), 0, 400
    for _ in range(rounds):
        own, other = random.lognormal(0, 0.05, 64), random.lognormal(0, 0.05, trainers)
        there = [*runs(*((work_s + empty_s) * own), trainers=tuple((1 + empty_s) * other))]
        empty = empty_s * random.lognormal(0, 0.05, len(there))
        found = cost_of(one._replace(empty_cpu_s=float(took)) for one, took in zip(there, empty, strict=True))
        assert found is not None
        covered += found.low <= work_s <= found.high
    assert covered / rounds >= 0.92


def test_runs_that_took_no_time_cost_nothing() -> None:
    found = cost_of(runs(0.0, 0.0))

    assert found is not None and (found.low, found.ratio, found.high) == (0.0, 0.0, 0.0)


@given(seeds=SEEDS)
def test_the_trainer_runs_beside_few_seeds_that_are_spread_evenly(seeds: int) -> None:
    chosen = sorted(beside(seeds))

    assert len(chosen) == min(seeds, max(2, -(-seeds // 128)))
    assert set(chosen) <= set(range(seeds))
    gaps = np.diff([*chosen, seeds])
    assert gaps.max() - gaps.min() <= 1
