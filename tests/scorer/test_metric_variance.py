"""Where the noise of a score comes from: runs, originals, subjects."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.core.bundle.directory import start_of
from services.scorer.metrics import METRICS, Evidence
from services.scorer.metrics.variance import VarianceParts, between_originals, freedom_of
from tests.scorer.evidence import hashes
from tests.scorer.outputs import World

N, K = 64, 8
STARTS = np.array([start_of(seed, K) for seed in range(N)])
ERROR = st.floats(0, 10)


def spread(world: World, differs: float, *, noise: float = 1.0) -> Evidence:
    """Draw an entry whose memory differs from original to original; without noise its runs are all equal."""
    kept = 0.3 + differs * np.random.default_rng(world.seed).normal(size=K)
    drifts = world.rng.normal(size=(K, len(world.middle)))
    runs = world.middle + noise * (world.retrained(N) - world.middle) + 8 * differs * drifts[STARTS]
    runs[:, : world.forget] += (kept[STARTS, None]) * world.offset[: world.forget]
    unlearned = world.models(runs)
    if noise == 0:
        unlearned = replace(unlearned, checkpoint_sha256=hashes(N, K))
    evidence = world.evidence(world.retrained(N))
    return replace(
        evidence, unlearned=unlearned, originals=world.models(world.middle + world.offset + drifts), starts=STARTS
    )


def test_the_jackknife_of_a_mean_gives_the_variance_between_originals() -> None:
    """Of values that are the same for all runs of one original, it is that of K independent draws."""
    levels = np.array([0.0, 1.0, 4.0, 9.0])
    starts = np.arange(400) % 4

    def mean(runs: NDArray[np.int64], _: int | None) -> float:
        return float(levels[starts[runs]].mean())

    expected = np.std(levels, ddof=1) / np.sqrt(4)
    assert between_originals(starts, mean) == pytest.approx(expected, rel=0.02)
    assert between_originals(starts, lambda *_: 1.0) == 0


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_noise_of_runs_alone_is_not_taken_for_that_of_originals(seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=N)
    error = values.std(ddof=1) / np.sqrt(N)

    assert between_originals(STARTS, lambda runs, _: float(values[runs].mean())) < 2.5 * error


@given(ERROR, st.none() | ERROR, st.none() | ERROR, st.integers(2, 64), st.integers(1, 15))
def test_freedom_lies_between_the_parts_and_the_most(
    runs: float, originals: float | None, subjects: float | None, count: int, most: int
) -> None:
    found = freedom_of(VarianceParts(runs, originals, subjects), originals=count, most=most)

    assert min(most, count - 1) <= found + 1e-9
    assert found <= most


@pytest.mark.parametrize("metric", METRICS)
def test_the_originals_part_grows_with_how_differently_they_are_forgotten(metric: str) -> None:
    def squares(differs: float) -> float:
        found = [METRICS[metric](spread(World(seed), differs)).variance for seed in range(4)]
        assert all(one is not None and one.starts == K for one in found)
        return sum((one.originals / one.runs) ** 2 for one in found if one and one.originals)

    assert squares(0.1) > 2 * squares(0.0)


def test_a_deterministic_entry_owes_its_noise_to_originals_and_the_interval_says_so() -> None:
    card = METRICS["lethe-2"](spread(World(4), 0.1, noise=0.0))

    assert card.variance is not None and card.variance.originals is not None
    assert card.variance.originals > 2 * card.variance.runs  # random halves differ in how many runs an original has
    assert card.final_score.high - card.final_score.low > 2 * card.variance.originals


def test_the_whole_interval_covers_originals_and_subjects() -> None:
    evidence = spread(World(5), 0.1)
    card = METRICS["lethe-2"](evidence)
    given_originals = METRICS["lethe-2"](replace(evidence, starts=None))
    found, without = card.variance, given_originals.variance

    assert card.generalisation is not None and given_originals.generalisation is not None
    assert found is not None and found.originals and found.subjects and without is not None
    assert without.originals is None
    assert without.starts == 1
    assert card.generalisation.value == given_originals.generalisation.value
    whole = np.sqrt(found.runs**2 + found.originals**2 + found.subjects**2)
    assert card.generalisation.high - card.generalisation.low > 3.8 * whole
    assert card.final_score.high - card.final_score.low > 3.8 * np.hypot(found.runs, found.originals)


def test_subjects_that_are_all_kept_alike_make_no_noise() -> None:
    """Memory is a ratio: an example that is remembered better weighs more above and below."""
    world = World(8, drift=0.0)
    card = METRICS["lethe-2"](world.evidence(world.unlearned(512, remembered=0.3), oracle=512))

    assert card.variance is not None and card.variance.subjects is not None
    assert card.variance.subjects < 0.01


def test_the_number_of_originals_is_told() -> None:
    evidence = spread(World(6), 0.0)
    own = replace(evidence, starts=None, originals=evidence.oracle)

    def starts(evidence: Evidence) -> int | None:
        card = METRICS["neurips-2023"](evidence)
        assert card.variance is not None
        return card.variance.starts

    assert starts(own) == N
    assert starts(replace(own, independent=False)) == 1  # a notebook's runs all start from the public one
    assert starts(replace(evidence, starts=None, originals=None)) is None
