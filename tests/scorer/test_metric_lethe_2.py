"""`lethe-2`: memory beyond controls, from doing nothing (0) to retraining (1), and what becomes of forged outputs."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scorer.metrics import (
    METRICS,
    TOO_FEW_EFFECTIVE_MODELS,
    BadArray,
    Evidence,
    ScoreCard,
    Sides,
    raise_alarms,
)
from services.scorer.metrics.lethe_2 import (
    FORGET_SET_PINNED,
    JOINTLY_DIFFERENT,
    NOTHING_TO_FORGET,
    read_evidence,
)
from studies.coverage import NOISES, world_of
from studies.simulated import Entry as Simulated
from tests.scorer.outputs import Array, World

N = 96
lethe_2 = METRICS["lethe-2"]


def card(world: World, margins: Array) -> ScoreCard:
    return lethe_2(world.evidence(margins))


def forgetting(world: World, margins: Array) -> float:
    return card(world, margins).forgetting_quality.value


def pinned(world: World, models: int = N) -> Array:
    """Forget outputs as retrained models have them, everything else as the original does."""
    found = world.unlearned(models, remembered=1.0)
    found[:, : world.forget] = world.retrained(models)[:, : world.forget]
    return found


@given(st.integers(0, 50), st.sampled_from([0.0, 1.0, 3.0]))
@settings(max_examples=6, deadline=None)
def test_retraining_is_near_1_and_doing_nothing_near_0(seed: int, drift: float) -> None:
    world = World(seed, drift=drift)
    again = card(world, world.retrained(N))
    nothing = world.unlearned(N, remembered=1.0)

    assert again.forgetting_quality.value > 0.95
    assert not again.flags
    assert forgetting(world, nothing) < 0.05
    assert again.points.mean() == pytest.approx(again.forgetting_quality.value)


@given(st.floats(0.2, 5.0), st.integers(0, 20))
@settings(max_examples=6, deadline=None)
def test_the_scale_of_a_models_logits_says_nothing(scale: float, seed: int) -> None:
    """Another recipe changes the scale of all margins first, and a participant can scale logits at will."""
    world = World(seed)
    margins = world.unlearned(N, remembered=0.3)
    evidence = world.evidence(margins)
    scaled = lethe_2(evidence.of(world.models(margins * scale)))

    assert scaled.forgetting_quality.value == pytest.approx(lethe_2(evidence).forgetting_quality.value, abs=1e-3)


@pytest.mark.parametrize("drift", [0.0, 1.5])
def test_forgetting_falls_with_the_share_of_examples_that_are_remembered(drift: float) -> None:
    world = World(3, drift=drift)
    found = [forgetting(world, world.unlearned(N, share=share)) for share in (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)]

    assert found == sorted(found, reverse=True)
    assert found[0] > 0.9
    assert found[3] == pytest.approx(0.5, abs=0.2)
    assert found[-1] < 0.05


def test_examples_that_are_forgotten_too_much_do_not_make_up_for_others() -> None:
    world = World(4)
    margins = world.unlearned(N)
    signs = np.where(np.arange(world.forget) % 2, 1.0, -1.0)
    margins[:, : world.forget] += signs * world.offset[: world.forget]
    found = read_evidence(world.evidence(margins))

    assert found is not None
    assert abs(found.memories.direction) < 0.3
    assert forgetting(world, margins) < 0.2


def test_labels_that_only_the_original_knows_count_even_if_margins_are_small() -> None:
    """All logits scaled down differently by example: margins say little, the given label says it all."""
    world = World(5)
    margins = world.unlearned(N)
    margins[:, : world.forget // 5] = 0.01 + 1e-3 * world.rng.normal(size=(N, world.forget // 5))
    found = read_evidence(world.evidence(margins))

    assert found is not None
    assert found.memories.labels == pytest.approx(1.0, abs=0.05)
    assert forgetting(world, margins) < 0.05


@pytest.mark.parametrize("drift", [1.0, 2.0])
def test_pinned_outputs_do_not_rank_and_ring(drift: float) -> None:
    world = World(6, drift=drift)
    evidence = world.evidence(pinned(world))
    found = lethe_2(evidence)

    assert FORGET_SET_PINNED in found.flags
    assert found.forgetting_quality.value < 0.1
    assert "forget_set_pinned" in {alarm.kind for alarm in raise_alarms(evidence, found)}


def test_a_forget_set_pinned_to_means_is_found_by_its_spread_though_it_drifts_as_controls_do() -> None:
    world = World(6)
    margins = world.unlearned(N)
    middle = margins[:, : world.forget].mean(axis=0)
    margins[:, : world.forget] = middle + 0.3 * (margins[:, : world.forget] - middle)

    assert FORGET_SET_PINNED in card(world, margins).flags


def of_originals(world: World, kept: Array, *, moved: float = 0.6) -> Evidence:
    """Draw an entry whose runs of each original keep another share of what it remembers."""
    starts = np.arange(N) % len(kept)
    drifts = world.rng.normal(size=(len(kept), len(world.middle)))
    runs = world.retrained(N) + kept[starts, None] * world.offset + moved * drifts[starts]
    evidence = world.evidence(runs, starts=starts)
    return replace(evidence, originals=world.models(world.middle + world.offset + drifts))


@given(st.integers(0, 100))
@settings(max_examples=6, deadline=None)
def test_an_entry_that_forgets_more_from_some_originals_is_honest(seed: int) -> None:
    """Its forget outputs vary more than controls, but not those of one original."""
    found = lethe_2(of_originals(World(seed), np.linspace(0.0, 0.6, 8)))

    assert FORGET_SET_PINNED not in found.flags
    assert found.forgetting_quality.value == pytest.approx(0.7, abs=0.06)


@pytest.mark.parametrize("seed", [0, 1])
def test_forgetting_too_much_from_one_original_does_not_make_up_for_another(seed: int) -> None:
    """Means over all runs are those of retrained models, so only what each original's runs do tells."""
    found = lethe_2(of_originals(World(seed), np.tile([0.9, -0.9], 4)))

    assert FORGET_SET_PINNED not in found.flags
    assert found.forgetting_quality.value < 0.3


@given(st.integers(0, 100), st.sampled_from([0.0, 0.3, 1.0]), st.sampled_from([0.0, 0.5, 2.0]))
@settings(max_examples=12, deadline=None)
def test_honest_entries_are_not_called_pinned(seed: int, remembered: float, drift: float) -> None:
    world = World(seed, drift=drift)
    assert FORGET_SET_PINNED not in card(world, world.unlearned(N, remembered=remembered)).flags


def test_a_mixture_of_two_biases_is_capped() -> None:
    """Every example has the right mean and nearly the right spread; all of them together tell the two halves apart."""
    world = World(7, drift=0.0)
    margins = world.retrained(512)
    margins[:, : world.forget] += np.where(world.rng.permutation(512) % 2, 0.5, -0.5)[:, None]
    found = lethe_2(world.evidence(margins, oracle=512))

    assert JOINTLY_DIFFERENT in found.flags
    assert found.forgetting_quality.value < 0.05


def test_a_mixture_within_each_original_is_capped_and_drift_of_originals_is_not() -> None:
    """Originals drift, by chance more on forget examples than on any set of controls; their runs do not."""
    random = np.random.default_rng(11)
    world = world_of(random, 60, NOISES[1])  # 80% of the variance is shared
    drifted = world.evaluate(Simulated("drifted", kept=0, drift=1), world.learn(8, deviation=0.5), 64)
    assert drifted.starts is not None
    assert JOINTLY_DIFFERENT in lethe_2(replace(drifted, starts=None)).flags
    assert JOINTLY_DIFFERENT not in lethe_2(drifted).flags

    plain = world_of(random, 60, NOISES[0])
    mixed = plain.evaluate(Simulated("retrained", kept=0, drift=0), plain.learn(8, deviation=0.5), 256)
    logits = mixed.unlearned.forget_logits.copy()
    logits[:, :, 0] += np.where(random.permutation(256) % 2, 0.5, -0.5)[:, None]
    assert JOINTLY_DIFFERENT not in lethe_2(mixed).flags
    assert JOINTLY_DIFFERENT in lethe_2(replace(mixed, unlearned=replace(mixed.unlearned, forget_logits=logits))).flags


def test_outputs_that_drift_beyond_reading_earn_little() -> None:
    world = World(8)
    margins = world.unlearned(N)
    margins += 30 * world.rng.normal(size=margins.shape[1])
    assert forgetting(world, margins) < 0.3


def test_repeated_models_do_not_rank() -> None:
    world = World(9)
    margins = np.tile(world.retrained(N // 4), (4, 1)) + 1e-4 * world.rng.normal(size=(N, len(world.middle)))
    assert TOO_FEW_EFFECTIVE_MODELS in card(world, margins).flags
    assert card(world, np.tile(world.retrained(4), (N // 4, 1))).forgetting_quality.value == 0.0


@pytest.mark.parametrize("seed", range(12))
def test_originals_as_they_are_never_fall_below_0_by_rounding(seed: int) -> None:
    """The database keeps no negative score, so such an entry would wait for ever."""
    world = World(seed)
    drifts = world.rng.normal(size=(8, len(world.middle)))
    originals = world.middle + world.offset + drifts
    evidence = world.evidence(np.tile(originals, (12, 1)), starts=np.tile(np.arange(8), 12))

    found = lethe_2(replace(evidence, originals=world.models(originals)))

    assert 0.0 <= found.forgetting_quality.low <= found.forgetting_quality.value < 0.05
    assert found.final_score.value >= 0.0


def test_an_original_without_memory_leaves_nothing_to_forget() -> None:
    world = World(10, memory=0.0)
    found = card(world, world.retrained(N))
    assert found.flags == (NOTHING_TO_FORGET,)
    assert found.final_score.value == 0.0


def test_confidences_alone_are_refused_with_the_reason() -> None:
    world = World(11)
    evidence = world.evidence(world.retrained(16), oracle=16)
    without = replace(evidence, originals=None)
    arrays = Sides.of_arrays(world.retrained(16), world.retrained(16))
    for refused in (lambda: lethe_2(without), lambda: lethe_2.judge(arrays)):
        with pytest.raises(BadArray, match="measurements of the original model"):
            refused()
    unmeasured = evidence.of(replace(evidence.unlearned, test=None))
    with pytest.raises(BadArray, match="no test margins"):
        lethe_2(unmeasured)


def test_intervals_hold_the_truth() -> None:
    """Memory of a re-run, over 40 evaluations with one original: 95% intervals miss a few at most."""
    world = World(12, drift=0.5)
    truth = forgetting(world, world.unlearned(1024, remembered=0.4))
    inside = 0
    for _ in range(40):
        found = card(world, world.unlearned(64, remembered=0.4)).forgetting_quality
        assert found.low <= found.value <= found.high
        inside += found.low <= truth <= found.high
    assert inside >= 34


@pytest.mark.parametrize("models", [2, 8, 16])
def test_few_models_give_numbers_and_no_accusation(models: int) -> None:
    world = World(13)
    found = lethe_2(world.evidence(world.unlearned(models), oracle=models))
    assert np.isfinite(found.final_score.value)
    assert FORGET_SET_PINNED not in found.flags
