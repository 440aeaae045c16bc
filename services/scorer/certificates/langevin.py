"""The accountant of Langevin unlearning: full-batch projected noisy gradient descent on a strongly convex problem.

Chien, Wang, Chen and Li, "Langevin Unlearning" (NeurIPS 2024, arXiv 2401.10371). Equations are numbered as in
`docs/certificates.md`. Training has converged (`ConvexProblem.burn_in` steps or more) and unlearning runs
    w <- projection onto a ball of (w - eta grad + sqrt(2 eta sigma^2) N(0, I)),  eta = 1/L,
for exactly K steps on the remaining data.
"""

import math
from collections.abc import Callable, Sequence

from services.scorer.certificates.problem import (
    LARGEST_COUNT,
    BadCertificate,
    Certificate,
    ConvexProblem,
    best_order,
    exp_or_infinity,
    require_count,
    require_positive,
    root,
    settle,
    slope_of,
)

__all__ = ["certify", "certify_sequence", "least_sequence_steps", "least_sigma", "least_steps"]


def certify(problem: ConvexProblem, *, points: int, steps: int, sigma: float) -> Certificate:
    """Return the least epsilon (nats) after `steps` of unlearning `points` at once. Without steps: training's privacy.

    Equation 4: min over alpha > 1 of e^(-K m eta/alpha) 4 alpha S^2 M^2 / (m sigma^2 n^2) + ln(1/delta) / (alpha - 1).
    Exact: `best_order` finds the one stationary point of a convex function.
    Raises BadCertificate for fewer than 1 or more than n points, fewer than 0 steps, or a sigma that is not above 0.
    """
    log_slope = _log_slope(problem, points, sigma)
    return best_order(log_slope, require_count("steps", steps, least=0) * problem.decay, problem.log_inverse_delta)


def least_sigma(problem: ConvexProblem, *, points: int, steps: int, epsilon: float) -> float:
    """Return the least sigma (a step adds sqrt(2 eta) sigma noise) whose epsilon after `steps` is at most `epsilon`.

    Equation 4 solved for sigma. The answer meets the target; one smaller by a millionth does not.
    Raises BadCertificate as `certify`, and for an epsilon that is not above 0.
    """
    require_positive("epsilon", epsilon)
    wait = require_count("steps", steps, least=0) * problem.decay
    log_l = problem.log_inverse_delta
    # Let A0 meet the target without a wait; then it also meets it with one. An order below 1 + l/epsilon is useless,
    # because its second term already exceeds epsilon; above it, e^(-B/alpha) >= e^(-B / (1 + l/epsilon)), so with
    # A = A0 e^(B / (1 + l/epsilon)) no order does better than epsilon. Between the two, epsilon increases with A.
    low = slope_of(epsilon, log_l)
    high = low + wait / (1 + log_l / epsilon)

    def excess(log_slope: float) -> float:
        return math.log(best_order(log_slope, wait, log_l).epsilon / epsilon)

    sigma = exp_or_infinity((_log_slope(problem, points, 1.0) - root(excess, low, high)) / 2)
    return settle(sigma, lambda value: certify(problem, points=points, steps=steps, sigma=value).epsilon <= epsilon)


def least_steps(problem: ConvexProblem, *, points: int, sigma: float, epsilon: float, at_least: int = 0) -> int:
    """Return exactly the least K >= `at_least`: K steps meet `epsilon` (nats), and K - 1 do not or are too few.

    Equation 4 solved for K. Enough steps meet any epsilon. The papers have `at_least` 1; pass 0 to allow no steps.
    Raises BadCertificate as `certify`, for an epsilon that is not above 0, and for more than 2^53 steps.
    """
    require_positive("epsilon", epsilon)
    log_slope = _log_slope(problem, points, sigma)
    # Order 1 + 2 l/epsilon spends half of epsilon on delta; K must bring the divergence to the other half.
    alpha = 1 + 2 * problem.log_inverse_delta / epsilon
    enough = alpha * (log_slope + math.log(2 * alpha / epsilon)) / problem.decay
    return _least(
        lambda steps: certify(problem, points=points, steps=steps, sigma=sigma).epsilon <= epsilon, enough, at_least
    )


def certify_sequence(
    problem: ConvexProblem, *, points: Sequence[int], steps: Sequence[int], sigma: float
) -> list[Certificate]:
    """Return the certificate after each of several requests: request s forgets `points[s]` with `steps[s]` steps.

    Equation 5, by the weak triangle inequality of Renyi divergences (Mironov 2017, Corollary 4):
    epsilon_s(alpha) = (alpha - 1/2) / (alpha - 1) (epsilon_0(2 alpha) + epsilon_(s-1)(2 alpha)) e^(-eta m k_s / alpha).
    Any order gives a valid epsilon; the search for the least uses a grid of ln(alpha - 1) that provably contains it,
    refined around its best point. For the first request this is equation 4. Under removal, n is the smallest before any
    request. Raises BadCertificate as `certify`, and for lists that are empty or have unequal lengths.
    """
    from services.scorer.certificates.sequences import certify_last  # numpy: more than `lethe certify` needs

    if not points or len(points) != len(steps):
        raise BadCertificate(
            f"points has {len(points)} requests and steps {len(steps)}; expected equal numbers, at least 1."
        )
    slopes = [_log_slope(problem, count, sigma) for count in points]
    waits = [require_count("steps", count, least=0) * problem.decay for count in steps]
    return [certify_last(problem, slopes[:s], waits[:s]) for s in range(1, len(slopes) + 1)]


def least_sequence_steps(
    problem: ConvexProblem, *, points: Sequence[int], sigma: float, epsilon: float, at_least: int = 0
) -> list[int]:
    """Return the least steps for each request in turn, so that epsilon is at most `epsilon` (nats) after every one.

    Equation 5 solved for k_s, given the steps of earlier requests. Each is the least possible after those.
    Raises BadCertificate as `certify_sequence`, and for an epsilon that is not above 0.
    """
    from services.scorer.certificates.sequences import certify_last, log_divergence

    require_positive("epsilon", epsilon)
    if not points:
        raise BadCertificate("points is empty; expected at least 1 request.")
    found = [least_steps(problem, points=points[0], sigma=sigma, epsilon=epsilon, at_least=at_least)]
    slopes = [_log_slope(problem, count, sigma) for count in points]
    for s in range(2, len(slopes) + 1):
        waits = [count * problem.decay for count in found]

        def meets(steps: int, upto: int = s, before: tuple[float, ...] = tuple(waits)) -> bool:
            return certify_last(problem, slopes[:upto], [*before, steps * problem.decay]).epsilon <= epsilon

        alpha = 1 + 2 * problem.log_inverse_delta / epsilon
        divergence = log_divergence(math.log(alpha - 1), slopes[:s], [*waits, 0.0])
        found.append(_least(meets, alpha * (divergence + math.log(2 / epsilon)) / problem.decay, at_least))
    return found


def _log_slope(problem: ConvexProblem, points: int, sigma: float) -> float:
    """Compute ln(4 S^2 M^2 / (m sigma^2 n^2)): how the divergence after training grows with its order."""
    reach = 2 * problem.require_points(points) * problem.lipschitz / problem.n
    return 2 * (math.log(reach) - math.log(require_positive("sigma", sigma))) - math.log(problem.strong_convexity)


def _least(meets: Callable[[int], bool], enough: float, at_least: int) -> int:
    """Return the least integer from `at_least` that meets, given that all larger ones do, and one near `enough`."""
    low = require_count("at_least", at_least, least=0)
    if meets(low):
        return low
    if not enough < LARGEST_COUNT:
        raise BadCertificate(f"This needs about {enough:.3g} steps, more than can be counted. Use a larger sigma.")
    high = max(low + 1, math.ceil(enough))
    while not meets(high):  # only because of rounding
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if meets(middle) else (middle, high)
    return high
