"""The audit of certificates, on mechanisms whose true epsilon is known."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import binom, norm

from services.scorer.metrics import Claimed, Evidence, Models, audit_certificate, lower_bound
from services.scorer.metrics.alarms import AlarmKind
from services.scorer.scoring import score_measurements

DELTA = 1 / 256
MODELS = 64


def gaussian_epsilon(shift: float, delta: float) -> float:
    """Epsilon of two normal distributions `shift` standard deviations apart (Balle and Wang 2018, theorem 8)."""

    def excess(epsilon: float) -> float:
        beyond = norm.cdf(shift / 2 - epsilon / shift) - math.exp(epsilon) * norm.cdf(-shift / 2 - epsilon / shift)
        return float(beyond) - delta

    return float(brentq(excess, 0.0, 100.0)) if excess(0.0) > 0 else 0.0


def draws(generator: np.random.Generator, models: int, features: int, shift: float) -> tuple[Any, Any]:
    """Two samples [models, features] whose means lie `shift` apart, in a direction of no axis."""
    direction = np.ones(features) / math.sqrt(features)
    one, other = generator.normal(size=(2, models, features))
    return one + shift * direction, other


@pytest.mark.parametrize("shift", [0.5, 1.5])
def test_true_claims_are_falsely_accused_no_more_often_than_promised(shift: float) -> None:
    """A claim of exactly the true epsilon, 400 times: the bound is above it in at most 5 % of them."""
    epsilon, generator = gaussian_epsilon(shift, DELTA), np.random.default_rng(round(10 * shift))
    accused = sum(lower_bound(*draws(generator, MODELS, 3, shift), delta=DELTA)[0] > epsilon for _ in range(400))
    assert accused <= binom.ppf(0.999, 400, 0.05)


@pytest.mark.parametrize(("shift", "least"), [(1.0, 0.8), (2.0, 2.0), (4.0, 3.5)])
def test_many_models_prove_a_good_part_of_the_truth(shift: float, least: float) -> None:
    bound, largest = lower_bound(*draws(np.random.default_rng(0), 2048, 10, shift), delta=DELTA)
    assert least < bound <= min(gaussian_epsilon(shift, DELTA), largest)


def test_what_is_told_apart_without_fail_proves_the_most_that_can_be() -> None:
    bound, largest = lower_bound(*draws(np.random.default_rng(0), 512, 2, 50.0), delta=DELTA)
    assert bound == largest
    at_most = 1 - (0.05 / 2) ** (1 / 256)  # Clopper and Pearson: none of 256, and all of 256, each at half of 5 %
    assert largest == pytest.approx(math.log((1 - at_most - DELTA) / at_most), rel=1e-9)


@pytest.mark.parametrize("same", [True, False])
def test_models_that_never_vary(same: bool) -> None:
    """As where a method without noise runs from one original: alike, or told apart without fail."""
    one, other = np.zeros((64, 3)), np.full((64, 3), 0.0 if same else 1e-3)
    bound, largest = lower_bound(one, other, delta=DELTA)
    assert bound == (0.0 if same else largest)


@pytest.mark.parametrize("models", [1, 2, 3])
def test_too_few_models_prove_nothing(models: int) -> None:
    assert lower_bound(np.zeros((models, 1)), np.ones((64, 1)), delta=DELTA) == (0.0, 0.0)


def test_a_difference_in_many_logits_is_found_though_none_alone_shows_it() -> None:
    generator = np.random.default_rng(3)
    one, other = draws(generator, 512, 60, 2.0)
    assert lower_bound(one, other, delta=DELTA)[0] > 1.0
    assert lower_bound(one[:, :1], other[:, :1], delta=DELTA)[0] == 0.0


def evidence(shift: float, claimed: Claimed | None, *, independent: bool = True) -> Evidence:
    generator = np.random.default_rng(0)
    unlearned, oracle = draws(generator, 256, 8, shift)
    return Evidence(
        unlearned=_models(unlearned),
        oracle=_models(oracle),
        second_oracle=_models(generator.normal(size=(256, 8))),
        forget_labels=np.ones(8, dtype=np.int64),
        claimed=claimed,
        independent=independent,
    )


def _models(margins: NDArray[np.float64]) -> Models:
    logits = np.stack([np.zeros_like(margins), margins], axis=2).astype(np.float32)
    return Models(logits, np.full(len(margins), 0.9), np.full(len(margins), 0.9))


def test_a_planted_false_certificate_is_caught() -> None:
    found = score_measurements("lethe-1", evidence(3.0, Claimed(0.5, DELTA, 0.4, auditable=True)))
    assert found.certificate is not None
    assert found.certificate.audited_epsilon is not None
    assert found.certificate.audited_epsilon > 0.5
    assert AlarmKind.FALSE_CERTIFICATE in {alarm.kind for alarm in found.alarms}


def test_an_honest_certificate_raises_nothing() -> None:
    found = score_measurements("lethe-1", evidence(0.1, Claimed(1.0, DELTA, 0.99, auditable=True)))
    assert not {AlarmKind.FALSE_CERTIFICATE, AlarmKind.UNSUPPORTED_CERTIFICATE} & {one.kind for one in found.alarms}


def test_a_claim_below_the_accountants_epsilon_is_an_alarm_of_its_own() -> None:
    found = score_measurements("lethe-1", evidence(0.1, Claimed(1.0, DELTA, 1.2, auditable=True)))
    assert [one.kind for one in found.alarms] == [AlarmKind.UNSUPPORTED_CERTIFICATE]


def test_no_claim_no_audit() -> None:
    assert audit_certificate(evidence(3.0, None)) is None


@pytest.mark.parametrize(("auditable", "independent"), [(False, True), (True, False)])
def test_a_claim_that_cannot_be_audited_is_shown_with_the_reason(auditable: bool, independent: bool) -> None:
    """From one original that all runs share a sound audit would accuse every true certificate."""
    found = audit_certificate(evidence(9.0, Claimed(0.1, DELTA, None, auditable=auditable), independent=independent))
    assert found is not None
    assert (found.audited_epsilon, found.largest_auditable) == (None, None)
    assert found.notes[0].startswith("Not audited")
