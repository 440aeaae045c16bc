"""The SSD paper's columns, against scipy's Jensen-Shannon distance, scikit-learn's regression and hand computation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.linear_model import LogisticRegression

from services.scorer.metrics.evidence import Evidence, Models, Predictions
from services.scorer.metrics.suites.ssd import ssd

LABELS = np.array([0, 1, 2, 0])
LOGITS = arrays(np.float32, (2, 4, 3), elements=st.floats(-60, 60, width=32))


def predictions(entropies: NDArray[np.float64]) -> Predictions:
    return Predictions(
        np.zeros(entropies.shape, np.uint8), np.zeros(entropies.shape, np.float32), entropies.astype(np.float16)
    )


def models(logits: NDArray[np.floating], test: Predictions | None = None, probe: Predictions | None = None) -> Models:
    count = len(logits)
    return Models(logits, np.linspace(0.5, 1, count), np.full(count, 0.7), test, probe)


def draw(count: int, seed: int, scale: float = 1.0) -> NDArray[np.float32]:
    return (scale * np.random.default_rng(seed).normal(size=(count, 4, 3))).astype(np.float32)


def test_accuracies_and_times_are_means_when_hand_computed() -> None:
    logits = np.eye(3)[np.array([[0, 1, 2, 0], [1, 1, 1, 1]])]
    values = ssd(Evidence(models(logits), models(logits), LABELS, run_s=3.0))
    assert values["retain_accuracy"] == 0.75
    assert values["forget_accuracy"] == 0.625
    assert values["run_s"] == 3.0
    assert values["activation_distance"] == 0.0


def test_columns_are_none_when_what_they_need_is_missing() -> None:
    some = models(draw(1, 0))
    values = ssd(Evidence(some, some, LABELS))
    assert [values[name] for name in ("run_s", "mia", "zrf")] == [None, None, None]


def test_zrf_equals_scipy_when_there_are_several_untrained_models() -> None:
    unlearned, untrained = draw(5, 1, 4.0), draw(3, 2, 0.1)
    values = ssd(Evidence(models(unlearned), models(unlearned), LABELS, untrained=models(untrained)))
    p, q = softmax(unlearned.astype(float), axis=2), softmax(untrained.astype(float), axis=2)
    each = [jensenshannon(p[n, s], q[u, s], base=2) ** 2 for n in range(5) for u in range(3) for s in range(4)]
    assert values["zrf"] == pytest.approx(1 - np.mean(each), abs=1e-12)


def test_zrf_is_0_when_outputs_are_disjoint_and_1_when_they_are_the_same() -> None:
    logits = 1e4 * np.eye(3)[LABELS][None]
    other = 1e4 * np.eye(3)[(LABELS + 1) % 3][None]
    for untrained, expected in ((other, 0.0), (logits, 1.0)):
        values = ssd(Evidence(models(logits), models(logits), LABELS, untrained=models(untrained)))
        assert values["zrf"] == pytest.approx(expected, abs=1e-12)


@given(LOGITS, LOGITS)
def test_zrf_lies_in_0_to_1_and_ignores_order_of_any_logits(
    ours: NDArray[np.float32], random: NDArray[np.float32]
) -> None:
    value = ssd(Evidence(models(ours), models(ours), LABELS, untrained=models(random)))["zrf"]
    turned = ssd(Evidence(models(ours[::-1]), models(ours), LABELS, untrained=models(random[::-1])))["zrf"]
    assert 0 <= (value or 0) <= 1
    assert turned == pytest.approx(value, abs=1e-12)


def test_activation_distance_is_over_the_pairs_that_exist() -> None:
    unlearned, oracle = draw(5, 3), draw(2, 4)
    values = ssd(Evidence(models(unlearned), models(oracle), LABELS))
    p, q = softmax(unlearned.astype(float), axis=2), softmax(oracle.astype(float), axis=2)
    each = [np.sqrt(((p[n, s] - q[n, s]) ** 2).sum()) for n in range(2) for s in range(4)]
    assert values["activation_distance"] == pytest.approx(np.mean(each), abs=1e-12)


def test_softmax_is_taken_in_float64_when_logits_are_half_precision() -> None:
    unlearned, oracle = (np.array([[[4.0, other, -9.0]] * 4], np.float16) for other in (0.0, 0.1))
    values = ssd(Evidence(models(unlearned), models(oracle), LABELS))
    p, q = (softmax(side.astype(float), axis=2) for side in (unlearned, oracle))
    assert values["activation_distance"] == pytest.approx(np.linalg.norm(p - q, axis=2).mean(), rel=1e-12)


def test_attack_equals_sklearn_when_kinds_are_unbalanced() -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 2, size=(70, 40, 3)).astype(np.float32)
    probe, test = predictions(rng.beta(1, 3, size=(70, 90))), predictions(rng.beta(2, 3, size=(70, 25)))
    unlearned = models(logits, test, probe)
    value = ssd(Evidence(unlearned, unlearned, np.zeros(40, np.int64)))["mia"]
    forget = entropy(softmax(logits.astype(float), axis=2), axis=2).astype(np.float16).astype(float)
    shares = []
    for n in range(64):
        attack = LogisticRegression(class_weight="balanced", tol=1e-8)
        known = np.concatenate([probe.entropies[n], test.entropies[n]]).astype(float)[:, None]
        attack.fit(known, [1] * 90 + [0] * 25)
        shares.append(attack.predict(forget[n][:, None]).mean())
    assert value == pytest.approx(np.mean(shares), abs=1e-12)
    assert 0.1 < np.mean(shares) < 0.9


@pytest.mark.parametrize(("test", "probe"), [(None, 5), (5, None), (1, 5), (5, 1), (0, 5), (5, 0)])
def test_attack_is_none_when_a_kind_is_missing_or_too_small(test: int | None, probe: int | None) -> None:
    sides = [None if size is None else predictions(np.zeros((2, size))) for size in (test, probe)]
    some = models(draw(2, 0), *sides)
    assert ssd(Evidence(some, some, LABELS))["mia"] is None


def test_attack_stays_finite_when_entropies_are_constant() -> None:
    some = models(np.zeros((1, 4, 3)), predictions(np.ones((1, 3))), predictions(np.ones((1, 9))))
    assert ssd(Evidence(some, some, LABELS))["mia"] in {0.0, 1.0}
