"""The accountant of descent to delete (D2D): gradient descent without noise, with noise on the published model.

Neel, Roth and Sharifi-Malvajerdi, "Descent-to-Delete" (ALT 2021, arXiv 2007.02923), with the constants of
Chien et al. (arXiv 2401.10371), who compare with it. Equations are numbered as in `docs/certificates.md`.
The step is 2/(L + m), which multiplies the distance to the optimum by at most gamma = (L - m)/(L + m). Every request
runs I steps from the model of the previous request, and publishes it plus N(0, sigma^2 I). Here sigma is the standard
deviation of this noise itself.
"""

import math

from services.scorer.certificates.problem import (
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

__all__ = [
    "certify",
    "contraction",
    "least_sigma",
    "least_steps",
    "published_state_base",
    "published_state_epsilon",
    "published_state_sigma",
    "published_state_steps",
    "step",
]


def step(problem: ConvexProblem) -> float:
    """Return D2D's step, 2/(L + m)."""
    return 2 / (problem.smoothness + problem.strong_convexity)


def contraction(problem: ConvexProblem) -> float:
    """Return gamma = (L - m)/(L + m), the share of the distance to the optimum that remains after one step."""
    return (problem.smoothness - problem.strong_convexity) / (problem.smoothness + problem.strong_convexity)


def certify(problem: ConvexProblem, *, points: int, steps: int, sigma: float) -> Certificate:
    """Return the least epsilon (nats) after `steps` (I >= 1) for any request of up to `points`, after any earlier ones.

    Equation 9 solved for epsilon: two models published from within 4 S M gamma^I / (m n (1 - gamma^I)) of one optimum.
    The paper has S = 1. The optimum moves by at most 2 S M/(m n) with S points, so all of its distances grow by S.
    Raises BadCertificate for fewer than 1 or more than n points, fewer than 1 step, or a sigma that is not above 0.
    """
    log_slope = 2 * (_log_distance(problem, points, steps) - math.log(require_positive("sigma", sigma))) - math.log(2)
    return best_order(log_slope, 0.0, problem.log_inverse_delta)


def least_sigma(problem: ConvexProblem, *, points: int, steps: int, epsilon: float) -> float:
    """Return the least sigma, the standard deviation of the noise on the published model, for `epsilon` (nats).

    Equation 9: sigma = 4 sqrt(2) S M gamma^I / (m n (1 - gamma^I) (sqrt(ln(1/delta) + epsilon) - sqrt(ln(1/delta)))).
    Raises BadCertificate as `certify`, and for an epsilon that is not above 0.
    """
    slope = slope_of(require_positive("epsilon", epsilon), problem.log_inverse_delta)
    sigma = exp_or_infinity(_log_distance(problem, points, steps) - (math.log(2) + slope) / 2)
    return settle(sigma, lambda value: certify(problem, points=points, steps=steps, sigma=value).epsilon <= epsilon)


def least_steps(problem: ConvexProblem, *, points: int, sigma: float, epsilon: float) -> int:
    """Return the least I >= 1 whose epsilon (nats) with this sigma is at most `epsilon`.

    Equation 9 solved for I, which occurs in y = gamma^I / (1 - gamma^I). Raises BadCertificate as `least_sigma`.
    """
    slope = slope_of(require_positive("epsilon", epsilon), problem.log_inverse_delta)
    log_y = math.log(require_positive("sigma", sigma)) + (math.log(2) + slope) / 2 - _log_reach(problem, points)
    steps = max(1, math.floor(log1p_exp(-log_y) / -math.log(contraction(problem))) - 1)  # too few by one or two
    while certify(problem, points=points, steps=steps, sigma=sigma).epsilon > epsilon:
        steps += 1
    return steps


def published_state_epsilon(problem: ConvexProblem, *, steps: int, sigma: float) -> float:
    """Return epsilon (nats) if requests start from the published model with its noise, so that no state is secret.

    Equation 10 solved for epsilon in closed form; infinite if too large for a double. One point per request. `steps`
    is the base number I, at least that of equation 11; each request runs more, by `published_state_steps`.
    Raises BadCertificate for fewer than 1 step, or a sigma that is not above 0.
    """
    # sqrt(a + 3e) - sqrt(a + 2e) = q, squared twice: e^2 - 10 q^2 e + q^4 - 4 q^2 a = 0; the larger root solves it
    q = exp_or_infinity(_log_distance(problem, 1, steps) - math.log(require_positive("sigma", sigma)))
    return 5 * q * q + 2 * q * math.sqrt(6 * q * q + _twice_log(problem))


def published_state_sigma(problem: ConvexProblem, *, steps: int, epsilon: float) -> float:
    """Return the least sigma for `epsilon` (nats) if requests start from the published model.

    Equation 10: sigma = 8 M gamma^I / (m n (1 - gamma^I) (sqrt(2 ln(2/delta) + 3 epsilon) - sqrt(2 ln(2/delta) +
    2 epsilon))). Raises BadCertificate as `published_state_epsilon`, and for an epsilon that is not above 0.
    """
    require_positive("epsilon", epsilon)
    a = _twice_log(problem)
    difference = epsilon / (math.sqrt(a + 3 * epsilon) + math.sqrt(a + 2 * epsilon))
    sigma = exp_or_infinity(_log_distance(problem, 1, steps) - math.log(difference))
    return settle(sigma, lambda value: published_state_epsilon(problem, steps=steps, sigma=value) <= epsilon)


def published_state_base(problem: ConvexProblem, *, dimension: int, epsilon: float) -> int:
    """Return the least base I for which equation 10 holds; `dimension` is the number of parameters.

    Equation 11: I >= ln(sqrt(2 d) / ((1 - gamma) (sqrt(2 ln(2/delta) + epsilon) - sqrt(2 ln(2/delta))))) / ln(1/gamma).
    Raises BadCertificate for a dimension below 1, or an epsilon that is not above 0.
    """
    require_count("dimension", dimension, least=1)
    require_positive("epsilon", epsilon)
    gamma, a = contraction(problem), _twice_log(problem)
    difference = epsilon / (math.sqrt(a + epsilon) + math.sqrt(a))
    return max(1, math.ceil(math.log(math.sqrt(2 * dimension) / ((1 - gamma) * difference)) / -math.log(gamma)))


def published_state_steps(problem: ConvexProblem, *, dimension: int, steps: int, request: int) -> int:
    """Return the steps of the request with this number (from 1): `steps` (I), plus a part that grows without bound.

    Equation 12: I + ceil(ln ln(4 d i / delta) / ln(1/gamma)).
    Raises BadCertificate for a dimension, steps or request below 1.
    """
    count = require_count("dimension", dimension, least=1) * require_count("request", request, least=1)
    more = math.log(math.log(4 * count) + problem.log_inverse_delta) / -math.log(contraction(problem))
    return require_count("steps", steps, least=1) + max(0, math.ceil(more))


def _log_reach(problem: ConvexProblem, points: int) -> float:
    """Compute ln(8 S M / (m n))."""
    reach = 8 * problem.require_points(points) * problem.lipschitz / problem.n
    return math.log(reach) - math.log(problem.strong_convexity)


def _log_distance(problem: ConvexProblem, points: int, steps: int) -> float:
    """Compute ln of the largest distance between an unlearned and a retrained model, before noise."""
    log_left = require_count("steps", steps, least=1) * math.log(contraction(problem))
    return _log_reach(problem, points) + log_left - math.log(-math.expm1(log_left))


def _twice_log(problem: ConvexProblem) -> float:
    """Compute 2 ln(2/delta)."""
    return 2 * (math.log(2) + problem.log_inverse_delta)
