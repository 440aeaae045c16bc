"""Checking an entry's claim by calculation: an accountant gives the epsilon of the method that the entry names."""

from services.core.bundle.manifest import Manifest
from services.core.submission.certificate import CertifiedMethod, Claim
from services.scorer.certificates import BadCertificate, ConvexProblem, d2d, langevin, stochastic
from services.scorer.metrics import Claimed

__all__ = ["hold_against_accountant", "problem_of"]

NOT_CERTIFIED = "No accountant applies, because the benchmark's models were not learned as certificates assume."
UNKNOWN = "There is no accountant for this method."


def problem_of(manifest: Manifest, delta: float) -> ConvexProblem | None:
    """Return the problem that a benchmark's certificates are about; None if its learning is not certified."""
    learning, counts = manifest.learning, manifest.counts
    if learning is None:
        return None
    return ConvexProblem(
        n=counts.retain + counts.forget,
        strong_convexity=learning.strong_convexity,
        smoothness=learning.smoothness,
        lipschitz=learning.lipschitz,
        delta=delta,
    )


def hold_against_accountant(claim: Claim, manifest: Manifest) -> Claimed:
    """Compute the epsilon of the claim's method on a benchmark, or explain why there is none."""
    problem = problem_of(manifest, claim.delta)
    if problem is None:
        return Claimed(claim.epsilon, claim.delta, None, auditable=False, notes=(NOT_CERTIFIED,))
    try:
        epsilon = _epsilon(claim, manifest, problem)
    except BadCertificate as error:
        return Claimed(claim.epsilon, claim.delta, None, auditable=True, notes=(error.message,))
    return Claimed(claim.epsilon, claim.delta, epsilon, auditable=True, notes=(UNKNOWN,) if epsilon is None else ())


def _epsilon(claim: Claim, manifest: Manifest, problem: ConvexProblem) -> float | None:
    """Raises BadCertificate if the benchmark's models were not learned as the method needs, or not long enough."""
    learning, points = manifest.learning, manifest.counts.forget
    assert learning is not None
    if learning.steps < problem.burn_in and claim.method is not CertifiedMethod.OTHER:
        raise BadCertificate(
            f"The models were learned for {learning.steps} steps, but this method needs at least {problem.burn_in}."
        )
    match claim.method:
        case CertifiedMethod.RETRAIN:
            return 0.0
        case CertifiedMethod.OTHER:
            return None
        case CertifiedMethod.D2D:
            if learning.sigma or not learning.published_sigma:
                raise BadCertificate("D2D needs models that are learned without noise and published with noise.")
            assert claim.steps is not None
            return d2d.certify(problem, points=points, steps=claim.steps, sigma=learning.published_sigma).epsilon
    if not learning.sigma:
        raise BadCertificate("Langevin unlearning needs models that are learned with noise.")
    if claim.method is CertifiedMethod.STOCHASTIC_LANGEVIN:
        assert claim.epochs is not None
        size = problem.n // learning.batches
        found = stochastic.certify(problem, points=points, batch_size=size, epochs=claim.epochs, sigma=learning.sigma)
        return found.epsilon
    if learning.batches > 1:
        raise BadCertificate("These models were learned in batches. Claim the method stochastic_langevin instead.")
    assert claim.steps is not None
    return langevin.certify(problem, points=points, steps=claim.steps, sigma=learning.sigma).epsilon
