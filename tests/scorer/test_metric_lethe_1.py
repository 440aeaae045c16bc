"""`lethe-1`: what it changes of the 2023 score, and what it leaves."""

from dataclasses import replace

import numpy as np
import pytest

from services.scorer.metrics import METRICS, TOO_FEW_EFFECTIVE_MODELS, Estimate, Evidence, epsilons
from services.scorer.metrics.lethe_1 import NO_CEILING, ceiling, needed_models
from services.scorer.metrics.score import Sides
from tests.scorer.evidence import changed, draw_evidence, hashes, of_confidences

score_lethe_1, score_neurips_2023 = METRICS["lethe-1"], METRICS["neurips-2023"]


def sides(shift: float, models: int = 128, examples: int = 40, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Unlearned, oracle and second oracle confidences."""
    rng = np.random.default_rng(seed)
    return (
        rng.normal(shift, 1, (models, examples)),
        rng.normal(size=(models, examples)),
        rng.normal(size=(models, examples)),
    )


def evidence_of(unlearned: np.ndarray, oracle: np.ndarray, second: np.ndarray | None = None) -> Evidence:
    return Evidence(
        of_confidences(unlearned),
        of_confidences(oracle),
        np.zeros(unlearned.shape[1], dtype=np.int64),
        second_oracle=None if second is None else of_confidences(second),
    )


def test_a_second_oracle_scores_one() -> None:
    """Handed in, the second oracle's own models are the ceiling itself."""
    _, oracle, second = sides(0.0)
    card = score_lethe_1(evidence_of(second, oracle, second))

    assert card.forgetting_quality.value == pytest.approx(1.0)
    assert card.final_score.value == pytest.approx(1.0)
    assert card.points.mean() == pytest.approx(1.0)


def test_quality_is_that_of_2023_over_the_ceiling_where_ranges_agree() -> None:
    """Without outliers the ranges change little, and few examples change their bucket."""
    unlearned, oracle, second = sides(0.3)
    new, old = score_lethe_1(evidence_of(unlearned, oracle, second)), score_neurips_2023(evidence_of(unlearned, oracle))
    assert new.ceiling is not None

    assert new.forgetting_quality.value * new.ceiling.value == pytest.approx(old.forgetting_quality.value, rel=0.15)


def test_one_diverged_oracle_model_decides_nothing() -> None:
    """In 2023 it stretched the range of every example, and the peaky rule took all points away."""
    unlearned, oracle, second = (side * 0.15 for side in sides(0.0))
    diverged = oracle.copy()
    diverged[7] = 90.0
    new = [score_lethe_1(evidence_of(unlearned, side, second)) for side in (oracle, diverged)]
    old = [score_neurips_2023(evidence_of(unlearned, side)) for side in (oracle, diverged)]

    assert old[1].forgetting_quality.value < old[0].forgetting_quality.value / 10
    assert new[1].forgetting_quality.value == pytest.approx(new[0].forgetting_quality.value, rel=0.25)


def test_ranges_without_trim_are_the_published_ones() -> None:
    unlearned, oracle, _ = sides(0.4)

    np.testing.assert_array_equal(epsilons(unlearned, oracle, trim=0.0), epsilons(unlearned, oracle))


def test_trimmed_ranges_are_those_of_numpys_quantiles() -> None:
    """The peaky rule fires exactly where the ratio of 1-99 % ranges falls below 0.01."""
    rng = np.random.default_rng(1)
    oracle = rng.normal(size=(200, 30))
    unlearned = oracle.mean(axis=0) + rng.normal(size=(200, 30)) * np.linspace(0.005, 0.015, 30)
    ranges = [np.subtract(*np.quantile(side, [0.99, 0.01], axis=0)) for side in (unlearned, oracle)]
    peaky = ranges[0] / ranges[1] < 0.01

    assert 3 < peaky.sum() < 27
    np.testing.assert_array_equal(epsilons(unlearned, oracle, trim=0.01) == 50, peaky)


def test_utility_above_the_oracle_earns_nothing() -> None:
    evidence = draw_evidence(second=32)
    better = changed(evidence, "unlearned", retain_accuracy=np.ones(32), test_accuracy=np.full(32, 0.425))
    card = score_lethe_1(better)

    assert card.utility.value == pytest.approx(0.5)  # 1 x 0.425 / 0.85, not 1 / 0.99 x 0.5
    assert card.utility.high <= 1
    assert score_neurips_2023(better).utility.value == pytest.approx(0.5 / 0.99)


def test_without_a_second_oracle_the_ceiling_is_that_of_halves() -> None:
    _, oracle, _ = sides(0.0)
    halves = ceiling(oracle, None)

    assert halves == ceiling(oracle[::2], oracle[1::2])
    assert halves.low < halves.value < halves.high


def test_the_ceiling_does_not_depend_on_an_entry() -> None:
    one, oracle, second = sides(0.0)
    cards = [score_lethe_1(evidence_of(unlearned, oracle, second)) for unlearned in (one, one + 3)]

    assert cards[0].ceiling == cards[1].ceiling


def test_repeated_models_do_not_rank() -> None:
    """Sixteen models eight times, with a little noise on top that a hash does not see through."""
    unlearned, oracle, second = sides(0.0)
    repeated = np.tile(unlearned[:16], (8, 1)) + np.random.default_rng(3).normal(0, 1e-3, unlearned.shape)
    card = score_lethe_1(evidence_of(repeated, oracle, second))

    assert (card.distinct_models, card.effective_models) == (128, 16)
    assert TOO_FEW_EFFECTIVE_MODELS in card.flags


def test_fewer_than_eight_effective_models_score_nothing() -> None:
    evidence = draw_evidence(second=32)
    card = score_lethe_1(changed(evidence, "unlearned", checkpoint_sha256=hashes(32, 7)))

    assert (card.forgetting_quality.value, card.final_score.value, card.effective_models) == (0, 0, 7)
    assert TOO_FEW_EFFECTIVE_MODELS in card.flags


@pytest.mark.parametrize(("models", "needed"), [(512, 64), (128, 64), (127, 64), (64, 32), (8, 4), (1, 1)])
def test_sixty_four_effective_models_are_needed_or_half(models: int, needed: int) -> None:
    assert needed_models(models) == needed


def test_no_forgetting_without_the_flag_that_says_why() -> None:
    """Of 9 runs, 5 effective models are more than half, but fewer than 8 earn nothing."""
    unlearned, oracle, second = sides(0.0, models=9)
    repeated = unlearned[[0, 1, 2, 3, 4, 0, 1, 2, 3]]
    found = score_lethe_1(evidence_of(repeated, oracle, second))

    assert found.forgetting_quality.value == 0.0
    assert TOO_FEW_EFFECTIVE_MODELS in found.flags


def test_audit_comes_with_every_score() -> None:
    unlearned, oracle, second = sides(2.0)
    audit = score_lethe_1(evidence_of(unlearned, oracle, second)).audit
    assert audit is not None

    assert audit.claims == 16
    assert 0 < audit.bounds.max() <= audit.largest_certifiable
    assert audit.gaussian.shape == audit.gaussian_fits.shape == (40,)
    assert audit.gaussian.mean() == pytest.approx(6.0, rel=0.2)


def test_intervals_over_other_subjects_are_the_wider_ones() -> None:
    """Two subjects are forgotten well and two badly: which ones were drawn matters more than which seeds."""
    unlearned, oracle, second = sides(0.0)
    unlearned[:, :20] += 2
    evidence = evidence_of(unlearned, oracle, second)
    by_subject = replace(evidence, subjects=np.arange(40) // 10)
    card, alone = score_lethe_1(by_subject), score_lethe_1(evidence)
    assert card.generalisation is not None
    assert alone.generalisation is not None

    assert card.generalisation.low < card.final_score.low
    assert card.generalisation.high > card.final_score.high
    assert card.final_score == alone.final_score
    assert card.generalisation.high - card.generalisation.low > alone.generalisation.high - alone.generalisation.low


def test_without_a_ceiling_there_is_no_quality() -> None:
    """A second oracle whose models are nearly one; and an oracle of one model, which has no halves."""
    unlearned, oracle, second = sides(0.0, models=16)
    for given in (Sides.of_arrays(unlearned, oracle, second * 1e-4), Sides.of_arrays(unlearned, oracle[:1])):
        found = METRICS["lethe-1"].judge(given)
        assert (found.quality.value, found.ceiling) == (0.0, Estimate(0.0, 0.0, 0.0))
        assert NO_CEILING in found.flags
