"""The accountant of stochastic Langevin unlearning: noisy gradient descent on fixed mini-batches, used in turn.

Chien, Wang, Chen and Li, "Certified Machine Unlearning via Noisy Stochastic Gradient Descent" (NeurIPS 2024,
arXiv 2403.17105). Equations are numbered as in `docs/certificates.md`. The n points are divided once into n/b batches.
Training, unlearning and the retraining in the certificate use them in the same order in every epoch. The update is that
of Langevin unlearning, with eta = 1/L, on the mean over one batch. Training has converged.
"""

import math
from collections.abc import Sequence

from services.scorer.certificates.problem import (
    BadCertificate,
    Certificate,
    ConvexProblem,
    best_order,
    exp_or_infinity,
    log1p_exp,
    require_count,
    require_positive,
    settle,
    slope_of,
)

__all__ = ["certify", "certify_sequence", "distance", "least_epochs", "least_sequence_epochs", "least_sigma"]


def distance(problem: ConvexProblem, *, points: int, batch_size: int) -> float:
    """Bound how far replacing any `points` moves the trained model: Z_B, in units of the parameters.

    Equation 6: Z_B = 2 eta M / (b (1 - c^(n/b))), c = 1 - eta m, for 1 point in the last batch.
    For more points, by the same proof: they fill the last batches, and each earlier batch counts c times as much.
    Raises BadCertificate for fewer than 1 or more than n points, and for a batch_size that does not divide n.
    """
    batches = _batches(problem, batch_size)
    left, weight, counted = problem.require_points(points), 1.0, 0.0
    while left > 0 and weight > 0:
        counted += weight * min(left, batch_size)
        left -= batch_size
        weight *= 1 - problem.decay
    kept = -math.expm1(batches * math.log1p(-problem.decay))
    return 2 * problem.step * problem.lipschitz * counted / (batch_size * kept)


def certify(problem: ConvexProblem, *, points: int, batch_size: int, epochs: int, sigma: float) -> Certificate:
    """Return the least epsilon (nats) after `epochs` (at least 1) of n/b steps each that unlearn `points` at once.

    Equation 7: min over alpha > 1 of alpha Z_B^2 (1 - c^2) / (2 eta sigma^2 (c^(-2N) - 1)) + ln(1/delta) / (alpha - 1),
    N = K n/b, exactly. The noise of every step counts; counting only the last step's gives c^(2N) for the quotient.
    Raises BadCertificate as `distance`, for fewer than 1 epoch, and for a sigma that is not above 0.
    """
    log_distance = math.log(distance(problem, points=points, batch_size=batch_size))
    return _certify(problem, log_distance, _epochs(epochs) * _batches(problem, batch_size), sigma)


def least_sigma(problem: ConvexProblem, *, points: int, batch_size: int, epochs: int, epsilon: float) -> float:
    """Return the least sigma (a step adds sqrt(2 eta) sigma noise) whose epsilon after `epochs` meets `epsilon`.

    Equation 7 solved for sigma in closed form. The answer meets the target; one smaller by a millionth does not.
    Raises BadCertificate as `certify`, and for an epsilon that is not above 0.
    """
    require_positive("epsilon", epsilon)
    log_distance = math.log(distance(problem, points=points, batch_size=batch_size))
    steps = _epochs(epochs) * _batches(problem, batch_size)
    slope = slope_of(epsilon, problem.log_inverse_delta)
    sigma = exp_or_infinity((_log_slope(problem, log_distance, steps, 1.0) - slope) / 2)
    return settle(sigma, lambda value: _certify(problem, log_distance, steps, value).epsilon <= epsilon)


def least_epochs(problem: ConvexProblem, *, points: int, batch_size: int, sigma: float, epsilon: float) -> int:
    """Return the least number of epochs, at least 1, after which epsilon is at most `epsilon` (nats).

    Equation 7 solved for K in closed form. Raises BadCertificate as `least_sigma`.
    """
    log_distance = math.log(distance(problem, points=points, batch_size=batch_size))
    return _least_epochs(problem, log_distance, batch_size, sigma, epsilon)


def certify_sequence(
    problem: ConvexProblem, *, points: Sequence[int], batch_size: int, epochs: Sequence[int], sigma: float
) -> list[Certificate]:
    """Return the certificate after each of several requests: request s forgets `points[s]` with `epochs[s]` epochs.

    Equation 8: distances add up, Z_s = c^(k_(s-1) n/b) Z_(s-1) + Z_B, and equation 7 holds with Z_s in Z_B's place.
    Raises BadCertificate as `certify`, and for lists that are empty or have unequal lengths.
    """
    if not points or len(points) != len(epochs):
        raise BadCertificate(
            f"points has {len(points)} requests and epochs {len(epochs)}; expected equal numbers, at least 1."
        )
    batches = _batches(problem, batch_size)
    certificates, far = [], 0.0
    for count, passes in zip(points, epochs, strict=True):
        far += distance(problem, points=count, batch_size=batch_size)
        certificates.append(_certify(problem, math.log(far), _epochs(passes) * batches, sigma))
        far *= math.exp(passes * batches * _log_c(problem))
    return certificates


def least_sequence_epochs(
    problem: ConvexProblem, *, points: Sequence[int], batch_size: int, sigma: float, epsilon: float
) -> list[int]:
    """Return the least epochs (at least 1) for each request in turn, so that every one meets epsilon.

    Equation 8 solved for k_s, given the epochs of earlier requests. Raises BadCertificate as `least_epochs`.
    """
    if not points:
        raise BadCertificate("points is empty; expected at least 1 request.")
    found: list[int] = []
    far = 0.0
    for count in points:
        far += distance(problem, points=count, batch_size=batch_size)
        found.append(_least_epochs(problem, math.log(far), batch_size, sigma, epsilon))
        far *= math.exp(found[-1] * _batches(problem, batch_size) * _log_c(problem))
    return found


def _log_slope(problem: ConvexProblem, log_distance: float, steps: int, sigma: float) -> float:
    """Compute ln(Z^2 (1 - c^2) / (2 eta sigma^2 (c^(-2N) - 1))), by which the divergence grows with its order."""
    twice = 2 * _log_c(problem)
    log_noise = math.log(2 * problem.step) + 2 * math.log(require_positive("sigma", sigma))
    shrunk = steps * twice + math.log(-math.expm1(twice)) - math.log(-math.expm1(steps * twice))
    return 2 * log_distance + shrunk - log_noise


def _certify(problem: ConvexProblem, log_distance: float, steps: int, sigma: float) -> Certificate:
    return best_order(_log_slope(problem, log_distance, steps, sigma), 0.0, problem.log_inverse_delta)


def _least_epochs(problem: ConvexProblem, log_distance: float, batch_size: int, sigma: float, epsilon: float) -> int:
    slope = slope_of(require_positive("epsilon", epsilon), problem.log_inverse_delta)
    batches, twice = _batches(problem, batch_size), 2 * _log_c(problem)
    log_noise = math.log(2 * problem.step) + 2 * math.log(require_positive("sigma", sigma))
    # with y = c^(2N), y / (1 - y) is at most e^r
    r = slope + log_noise - 2 * log_distance - math.log(-math.expm1(twice))
    epochs = max(1, math.floor(log1p_exp(-r) / -(batches * twice)) - 1)  # too few by one or two
    while _certify(problem, log_distance, epochs * batches, sigma).epsilon > epsilon:
        epochs += 1
    return epochs


def _batches(problem: ConvexProblem, batch_size: int) -> int:
    require_count("batch_size", batch_size, least=1)
    if problem.n % batch_size:
        raise BadCertificate(
            f"batch_size is {batch_size}, which does not divide n = {problem.n}: leave out "
            f"{problem.n % batch_size} points, so that all batches are full."
        )
    return problem.n // batch_size


def _epochs(epochs: int) -> int:
    return require_count("epochs", epochs, least=1)


def _log_c(problem: ConvexProblem) -> float:
    """Compute ln c; one step multiplies the distance of two runs by at most c."""
    return math.log1p(-problem.decay)
