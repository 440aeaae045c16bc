"""Claims of certificates, held against the accountants and against the runs."""

import math
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.benchmarks.catalogue import DEFINITIONS
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import Learning, Manifest
from services.core.bundle.measurements import Measurements
from services.core.submission.certificate import CertifiedMethod, Claim
from services.scorer.certificates import ConvexProblem, d2d, langevin, stochastic
from services.scorer.claims import NOT_CERTIFIED, UNKNOWN, hold_against_accountant, problem_of
from services.scorer.metrics import AlarmKind
from services.scorer.rows import score_row
from services.scorer.scoring import Report, gather, score_measurements
from tests.bundles import make_tiny_bundle
from tests.certified import certified_manifest, learning_of

DELTA = 1 / 256
NOISY, BATCHES, SILENT = (learning_of(DEFINITIONS[f"certified-digits{suffix}"]) for suffix in ("", "-batches", "-d2d"))
LEARNINGS = {"noisy": NOISY, "batches": BATCHES, "silent": SILENT}
PROBLEM = ConvexProblem(n=256, strong_convexity=0.02, smoothness=0.27, lipschitz=1.0, delta=DELTA)
CERTIFICATE_ALARMS = {AlarmKind.FALSE_CERTIFICATE, AlarmKind.UNSUPPORTED_CERTIFICATE}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle with the manifest of noisy learning, and 256 models in its oracle."""
    found = make_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny", oracle_seeds=256)
    found.manifest = found.manifest.model_copy(update={"learning": NOISY})
    return found


def manifest(bundle: Bundle, learning: Learning | None) -> Manifest:
    return certified_manifest(bundle.manifest, learning)


def claim(method: str, epsilon: float = 1.0, **counts: int) -> Claim:
    return Claim(method=CertifiedMethod(method), epsilon=epsilon, delta=DELTA, **counts)


# The accountants


def test_a_benchmarks_problem_counts_the_points_to_forget(bundle: Bundle) -> None:
    assert problem_of(manifest(bundle, NOISY), DELTA) == PROBLEM
    assert problem_of(manifest(bundle, None), DELTA) is None


@pytest.mark.parametrize(
    ("learning", "made", "expected"),
    [
        ("noisy", claim("langevin", steps=100), langevin.certify(PROBLEM, points=16, steps=100, sigma=0.02).epsilon),
        (
            "noisy",
            claim("stochastic_langevin", epochs=7),
            stochastic.certify(PROBLEM, points=16, batch_size=256, epochs=7, sigma=0.02).epsilon,
        ),
        (
            "batches",
            claim("stochastic_langevin", epochs=7),
            stochastic.certify(PROBLEM, points=16, batch_size=32, epochs=7, sigma=0.02).epsilon,
        ),
        ("silent", claim("d2d", steps=30), d2d.certify(PROBLEM, points=16, steps=30, sigma=0.05).epsilon),
        *((learning, claim("retrain"), 0.0) for learning in LEARNINGS),
    ],
)
def test_the_accountant_of_the_claimed_method_gives_its_epsilon(
    bundle: Bundle, learning: str, made: Claim, expected: float
) -> None:
    found = hold_against_accountant(made, manifest(bundle, LEARNINGS[learning]))
    assert found.accountant_epsilon == expected
    assert (found.epsilon, found.delta, found.auditable, found.notes) == (1.0, DELTA, True, ())


def test_the_accountant_speaks_of_the_delta_that_is_claimed(bundle: Bundle) -> None:
    made = claim("langevin", steps=100)
    found = [
        hold_against_accountant(made.model_copy(update={"delta": delta}), manifest(bundle, NOISY)).accountant_epsilon
        for delta in (0.1, 1e-3, 1e-9)
    ]
    assert found == sorted(found)  # type: ignore[type-var]
    assert len(set(found)) == 3


@pytest.mark.parametrize(
    ("learning", "made", "note"),
    [
        ("batches", claim("langevin", steps=9), "Claim the method stochastic_langevin"),
        ("noisy", claim("d2d", steps=9), "D2D needs models that are learned without noise"),
        ("batches", claim("d2d", steps=9), "D2D needs models that are learned without noise"),
        ("silent", claim("langevin", steps=9), "needs models that are learned with noise"),
        ("silent", claim("stochastic_langevin", epochs=9), "needs models that are learned with noise"),
        *((learning, claim("other"), UNKNOWN) for learning in LEARNINGS),
    ],
)
def test_a_method_of_other_learning_has_no_epsilon_and_is_audited(
    bundle: Bundle, learning: str, made: Claim, note: str
) -> None:
    found = hold_against_accountant(made, manifest(bundle, LEARNINGS[learning]))
    assert (found.epsilon, found.accountant_epsilon, found.auditable) == (1.0, None, True)
    assert len(found.notes) == 1
    assert note in found.notes[0]


def test_models_published_without_noise_are_no_d2d(bundle: Bundle) -> None:
    bare = SILENT.model_copy(update={"published_sigma": 0.0})
    found = hold_against_accountant(claim("d2d", steps=9), manifest(bundle, bare))
    assert (found.accountant_epsilon, len(found.notes)) == (None, 1)
    assert "published with noise" in found.notes[0]


@pytest.mark.parametrize(
    ("learning", "made"),
    [
        ("noisy", claim("langevin", steps=9)),
        ("batches", claim("stochastic_langevin", epochs=9)),
        ("silent", claim("d2d", steps=9)),
        ("noisy", claim("retrain")),
    ],
)
def test_models_that_were_learned_too_briefly_have_no_epsilon(bundle: Bundle, learning: str, made: Claim) -> None:
    """20/(eta m) = 20 * 0.27/0.02 = 270 steps are needed."""
    for steps, known in ((270, True), (269, False)):
        brief = LEARNINGS[learning].model_copy(update={"steps": steps})
        found = hold_against_accountant(made, manifest(bundle, brief))
        assert (found.accountant_epsilon is not None, found.auditable) == (known, True)
        assert known or found.notes == ("The models were learned for 269 steps, but this method needs at least 270.",)


@pytest.mark.parametrize(
    "made",
    [
        claim("langevin", steps=9),
        claim("stochastic_langevin", epochs=9),
        claim("d2d", steps=9),
        claim("retrain"),
        claim("other"),
    ],
    ids=list(CertifiedMethod),
)
def test_ordinary_benchmarks_have_no_accountant_and_no_audit(bundle: Bundle, made: Claim) -> None:
    found = hold_against_accountant(made, manifest(bundle, None))
    assert (found.accountant_epsilon, found.auditable, found.notes) == (None, False, (NOT_CERTIFIED,))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(LEARNINGS)),
    st.sampled_from(list(CertifiedMethod)),
    st.floats(0, allow_infinity=False),
    st.floats(0, 1, exclude_min=True, exclude_max=True),
    st.integers(1, 2**53),
)
def test_any_claim_has_a_finite_epsilon_or_a_note(
    bundle: Bundle, learning: str, method: CertifiedMethod, epsilon: float, delta: float, count: int
) -> None:
    """Whatever a participant writes must neither stop the scorer nor put into a score what JSON cannot hold."""
    made = Claim(method=method, epsilon=epsilon, delta=delta, steps=count, epochs=count)
    found = hold_against_accountant(made, manifest(bundle, LEARNINGS[learning]))
    if found.accountant_epsilon is None:
        assert len(found.notes) == 1
    else:
        assert math.isfinite(found.accountant_epsilon) and found.accountant_epsilon >= 0


# The runs


def entry(bundle: Bundle, models: int, *, shift: float = 0.0) -> Measurements:
    """Take the oracle's last models for an entry's; `shift` moves the logit of what was to be forgotten."""
    oracle, labels = bundle.oracle(), bundle.forget_labels()
    arrays = {name: getattr(oracle, name)[-models:] for name in Measurements.__slots__}
    logits = arrays["forget_logits"].copy()
    logits[:, np.arange(len(labels)), labels] += shift
    return Measurements(**arrays | {"forget_logits": logits})


def report(bundle: Bundle, made: Claim | None, *, shift: float = 0.0, **options: Any) -> Report:
    """Score 128 models: by default those of an entry that forgets perfectly."""
    return score_measurements("neurips-2023", gather(entry(bundle, 128, shift=shift), bundle, claim=made, **options))


def alarms(found: Report) -> set[str]:
    return {alarm.kind for alarm in found.alarms} & CERTIFICATE_ALARMS


def test_a_planted_false_certificate_is_found(bundle: Bundle) -> None:
    """An entry that claims 0.5 and does nothing: its models still know every label."""
    found = report(bundle, claim("other", 0.5), shift=8.0)
    assert alarms(found) == {AlarmKind.FALSE_CERTIFICATE}
    assert found.certificate is not None
    assert found.certificate.audited_epsilon is not None and found.certificate.largest_auditable is not None
    assert 0.5 < found.certificate.audited_epsilon <= found.certificate.largest_auditable
    (message,) = (alarm.message for alarm in found.alarms if alarm.kind == AlarmKind.FALSE_CERTIFICATE)
    assert "claims epsilon 0.5" in message and f"{found.certificate.audited_epsilon:.2f}" in message


def test_no_more_than_the_audit_proves_is_no_accusation(bundle: Bundle) -> None:
    proven = report(bundle, claim("other", 0.5), shift=8.0).certificate
    assert proven is not None and proven.audited_epsilon is not None
    found = report(bundle, claim("other", proven.audited_epsilon), shift=8.0)
    assert alarms(found) == set()


def test_an_honest_certificate_raises_nothing(bundle: Bundle) -> None:
    """Models of the oracle's own distribution, and steps that prove the epsilon which is claimed."""
    learning, counts = bundle.manifest.learning, bundle.manifest.counts
    assert learning is not None
    problem = problem_of(bundle.manifest, DELTA)
    assert problem is not None
    steps = langevin.least_steps(problem, points=counts.forget, sigma=learning.sigma, epsilon=1.0)
    found = report(bundle, claim("langevin", steps=steps))
    assert alarms(found) == set()
    assert found.certificate is not None
    assert found.certificate.accountant_epsilon is not None and found.certificate.accountant_epsilon <= 1.0
    assert found.certificate.audited_epsilon is not None and found.certificate.audited_epsilon <= 1.0
    assert (found.certificate.epsilon, found.certificate.delta, found.certificate.notes) == (1.0, DELTA, ())


def test_fewer_steps_than_the_claim_needs_are_found(bundle: Bundle) -> None:
    found = report(bundle, claim("langevin", 0.5, steps=1))
    assert alarms(found) == {AlarmKind.UNSUPPORTED_CERTIFICATE}
    assert found.certificate is not None and found.certificate.accountant_epsilon is not None
    assert found.certificate.accountant_epsilon > 0.5


def test_a_claim_that_was_rounded_is_supported(bundle: Bundle) -> None:
    held = hold_against_accountant(claim("langevin", steps=500), bundle.manifest)
    assert held.accountant_epsilon is not None
    for factor, expected in ((1 - 1e-7, set()), (1 - 1e-5, {AlarmKind.UNSUPPORTED_CERTIFICATE})):
        assert alarms(report(bundle, claim("langevin", held.accountant_epsilon * factor, steps=500))) == expected


def test_both_alarms_can_be_raised(bundle: Bundle) -> None:
    assert alarms(report(bundle, claim("langevin", 0.1, steps=1), shift=8.0)) == CERTIFICATE_ALARMS


def test_a_notebooks_runs_are_not_audited(bundle: Bundle) -> None:
    """They know of each other: no bound on them is sound."""
    found = report(bundle, claim("other", 0.5), shift=8.0, independent=False)
    assert found.certificate is not None
    assert (found.certificate.audited_epsilon, found.certificate.largest_auditable) == (None, None)
    assert any("notebook" in note for note in found.certificate.notes)
    assert alarms(found) == set()


def test_runs_from_one_original_are_not_audited(bundle: Bundle, tmp_path: Path) -> None:
    """Every true certificate would be accused."""
    ordinary = Bundle(bundle.root)
    assert ordinary.manifest.learning is None
    found = report(ordinary, claim("langevin", 0.5, steps=1), shift=8.0)
    assert found.certificate is not None
    assert (found.certificate.audited_epsilon, found.certificate.accountant_epsilon) == (None, None)
    assert len(found.certificate.notes) == 2
    assert alarms(found) == set()


def test_an_entry_without_a_claim_has_no_certificate(bundle: Bundle) -> None:
    found = report(bundle, None, shift=8.0)
    assert found.certificate is None
    assert alarms(found) == set()
    assert score_row(uuid4(), found, subjects=None, run_s=1.0).certificate is None


def test_the_row_of_a_score_keeps_its_certificate(bundle: Bundle) -> None:
    found = report(bundle, claim("other", 0.5))
    assert found.certificate is not None
    row = score_row(uuid4(), found, subjects=None, run_s=1.0)
    assert row.certificate is not None
    assert row.certificate.model_dump(mode="json") == {
        "epsilon": 0.5,
        "delta": DELTA,
        "accountant_epsilon": None,
        "audited_epsilon": found.certificate.audited_epsilon,
        "largest_auditable": found.certificate.largest_auditable,
        "notes": [UNKNOWN],
    }
