"""Each alarm rings for what it names and for nothing honest; near-duplicates are counted once."""

from dataclasses import replace

import numpy as np
import pytest

from services.scorer.metrics import METRICS, Evidence, Models, raise_alarms
from services.scorer.metrics.alarms import STRATIFIED_Z, AlarmKind, evenness_z, order_z
from services.scorer.metrics.duplicates import distances, effective_models, nearest
from services.scorer.scoring import score_measurements
from tests.scorer.evidence import hashes, of_confidences

MODELS, EXAMPLES = 128, 30


class Draws:
    """Independent draws of one benchmark: model factor, example noise."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)

    def retrained(self) -> np.ndarray:
        shared = 0.5 * self.rng.normal(size=(MODELS, 1))
        return np.asarray(shared + self.rng.normal(size=(MODELS, EXAMPLES)))


def evidence_of(unlearned: np.ndarray, oracle: np.ndarray, second: np.ndarray) -> Evidence:
    def models(confidences: np.ndarray) -> Models:
        accuracies = np.random.default_rng(0).normal(0.9, 0.01, len(confidences))
        return replace(of_confidences(confidences), retain_accuracy=accuracies, test_accuracy=accuracies)

    return Evidence(models(unlearned), models(oracle), np.zeros(EXAMPLES, dtype=np.int64), second_oracle=models(second))


def alarms(evidence: Evidence, metric: str = "lethe-1") -> set[str]:
    """What an organiser is told, whichever metric ranks."""
    return {alarm.kind for alarm in score_measurements(metric, evidence).alarms}


@pytest.mark.parametrize("metric", ["neurips-2023", "lethe-1"])
def test_honest_entries_ring_nothing(metric: str) -> None:
    """Perfect, shifted, narrow and very narrow ones, twenty draws in all."""
    for seed in range(5):
        draws = Draws(seed)
        oracle, second, entry = draws.retrained(), draws.retrained(), draws.retrained()
        for unlearned in (entry, entry + 1, 0.7 * entry, 0.3 * entry):
            assert alarms(evidence_of(unlearned, oracle, second), metric) == set()


@pytest.mark.parametrize("models", [32, 64])
def test_few_retrained_models_are_not_taken_for_the_oracles(models: int) -> None:
    """Of so few some lie closer to one of the oracle's than to any of their own; 60 draws of 16 examples."""
    for seed in range(60):
        draws = Draws(seed)
        unlearned, oracle, second = (of_confidences(draws.retrained()[:models, :16]) for _ in range(3))
        evidence = Evidence(unlearned, oracle, np.zeros(16, dtype=np.int64), second_oracle=second)
        rung = raise_alarms(evidence, METRICS["neurips-2023"](evidence))
        assert AlarmKind.ORACLE_CHECKPOINTS not in {alarm.kind for alarm in rung}


@pytest.mark.parametrize("metric", ["neurips-2023", "lethe-1"])
def test_oracle_models_in_disguise_ring(metric: str) -> None:
    """A little noise hides them from a hash, not from their distances."""
    draws = Draws()
    oracle, second = draws.retrained(), draws.retrained()
    for leaked in (oracle, second):
        disguised = leaked[::-1] + draws.rng.normal(0, 0.01, oracle.shape)
        found = alarms(evidence_of(disguised, oracle, second), metric)
        assert AlarmKind.ORACLE_CHECKPOINTS in found
        assert (AlarmKind.ABOVE_CEILING in found) == (leaked is oracle)


def test_oracle_checkpoints_ring_by_their_hash() -> None:
    draws = Draws()
    evidence = evidence_of(draws.retrained(), draws.retrained(), draws.retrained())
    named = replace(
        evidence,
        oracle=replace(evidence.oracle, checkpoint_sha256=hashes(MODELS)),
        unlearned=replace(evidence.unlearned, checkpoint_sha256=hashes(MODELS)[::-1] ^ np.eye(1, 32, 0, np.uint8)),
    )
    assert alarms(named) == set()

    stolen = named.unlearned.checkpoint_sha256
    assert stolen is not None
    stolen[5] = hashes(MODELS)[9]
    assert alarms(named) == {AlarmKind.ORACLE_CHECKPOINTS}


def test_ignored_seeds_and_copies_ring() -> None:
    draws = Draws()
    oracle, second, entry = draws.retrained(), draws.retrained(), draws.retrained()
    one = evidence_of(np.tile(entry[:1], (MODELS, 1)), oracle, second)
    few = evidence_of(np.tile(entry[:64], (2, 1)), oracle, second)
    named = [
        replace(evidence, unlearned=replace(evidence.unlearned, checkpoint_sha256=hashes(MODELS, distinct)))
        for evidence, distinct in ((one, 1), (few, 64))
    ]

    assert alarms(named[0]) == {AlarmKind.SEEDS_IGNORED}
    assert alarms(named[1]) == {AlarmKind.IDENTICAL_CHECKPOINTS}


def test_near_duplicates_ring() -> None:
    draws = Draws()
    repeated = np.tile(draws.retrained()[:16], (8, 1)) + draws.rng.normal(0, 1e-3, (MODELS, EXAMPLES))

    assert AlarmKind.NEAR_DUPLICATES in alarms(evidence_of(repeated, draws.retrained(), draws.retrained()))


def test_models_in_order_ring() -> None:
    draws = Draws()
    entry = draws.retrained()
    in_order = entry[entry.mean(axis=1).argsort()]

    assert alarms(evidence_of(in_order, draws.retrained(), draws.retrained())) == {AlarmKind.STRATIFIED_CHECKPOINTS}


@pytest.mark.parametrize("models", [32, 128])
def test_independent_models_have_standard_normal_z_scores(models: int) -> None:
    """Mean 0 and standard deviation 1 of either test over 4,000 draws, so that z > 4 is as rare as it says."""
    rng = np.random.default_rng(models)
    for test in (order_z, evenness_z):
        found = np.array([test(rng.normal(size=models)) for _ in range(4000)])
        assert abs(found.mean()) < 0.06
        assert found.std() == pytest.approx(1.0, abs=0.05)
        assert (found > STRATIFIED_Z).mean() < 0.002


def test_evenly_spaced_models_ring_in_any_order() -> None:
    """One draw from each of 128 equal shares of the distribution, shuffled."""
    draws = Draws()
    entry = draws.retrained()
    shares = (np.arange(MODELS) + 0.5) / MODELS * 4 - 2
    even = entry - entry.mean(axis=1, keepdims=True) + draws.rng.permutation(shares)[:, None]

    assert AlarmKind.STRATIFIED_CHECKPOINTS in alarms(evidence_of(even, draws.retrained(), draws.retrained()))


def test_accuracy_above_the_oracles_rings() -> None:
    draws = Draws()
    evidence = evidence_of(draws.retrained(), draws.retrained(), draws.retrained())
    accuracy = evidence.oracle.test_accuracy + 0.04
    better = replace(evidence, unlearned=replace(evidence.unlearned, test_accuracy=accuracy))

    found = raise_alarms(better, METRICS["neurips-2023"](better))

    assert [alarm.kind for alarm in found] == [AlarmKind.UTILITY_ABOVE_ORACLE]
    assert "test accuracy is 94" in found[0].message


def test_distances_are_in_standard_deviations_of_the_oracle() -> None:
    oracle = np.array([[0.0, 0.0], [2.0, 20.0]])  # standard deviations 1 and 10

    found = distances(np.array([[1.0, 10.0]]), oracle, np.array([[4.0, 10.0], [1.0, 10.0]]))

    np.testing.assert_allclose(found, [[3 / np.sqrt(2), 0.0]])


def test_nearest_neighbour_of_a_model_is_not_itself() -> None:
    square = np.array([[0.0, 3.0, 1.0], [3.0, 0.0, 2.0], [1.0, 2.0, 0.0]])

    assert nearest(square).tolist() == [1.0, 2.0, 1.0]


@pytest.mark.parametrize("distinct", [8, 64, 128])
def test_effective_models_are_those_that_were_drawn(distinct: int) -> None:
    draws = Draws()
    entry = np.tile(draws.retrained()[:distinct], (MODELS // distinct, 1))
    noise = draws.rng.normal(0, 1e-4, entry.shape)

    assert effective_models(entry + noise, draws.retrained()) == pytest.approx(distinct, abs=3)
    assert effective_models(entry, draws.retrained()) == pytest.approx(distinct, abs=3)


def test_honestly_similar_models_and_clusters_are_not_near_duplicates() -> None:
    """All models ten times closer than the oracle's; and two clusters that lie far apart."""
    draws = Draws()
    oracle, entry = draws.retrained(), draws.retrained()
    clusters = entry + np.where(np.arange(MODELS) % 2, 20.0, -20.0)[:, None]

    for unlearned in (0.1 * entry, clusters):
        assert effective_models(unlearned, oracle) > 0.95 * MODELS


def test_single_models_count_as_they_are() -> None:
    assert effective_models(np.zeros((1, 3)), np.zeros((5, 3))) == 1
    assert effective_models(np.zeros((4, 3)), np.zeros((5, 3))) == 1
