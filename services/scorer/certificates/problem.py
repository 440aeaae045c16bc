"""The problem of a certificate, and the step that all accountants share: from Renyi divergences to (epsilon, delta)."""

import math
import operator
import sys
from collections.abc import Callable
from dataclasses import dataclass

from services.core.errors import BadInput

__all__ = [
    "BadCertificate",
    "Certificate",
    "ConvexProblem",
    "best_order",
    "exp_or_infinity",
    "log1p_exp",
    "require_count",
    "require_positive",
    "root",
    "settle",
    "slope_of",
]

LARGEST_COUNT = 2**53  # up to it, a double represents every integer
ROOT_TOLERANCE = 1e-15
LARGEST_EXPONENT = math.log(sys.float_info.max)


class BadCertificate(BadInput):
    """No certificate exists: a constant is out of range, or constants contradict each other."""

    code = "bad_certificate"


@dataclass(frozen=True)
class ConvexProblem:
    """The mean over n points of a loss that clips its data gradient, plus a quadratic, in any dimension.

    Datasets are neighbours if they differ by up to S replaced points. Removed points are covered too; then n is the
    number of points before removal.
    Raises BadCertificate for a constant out of range.
    """

    n: int
    """Number of points in the training set, including those to forget."""
    strong_convexity: float
    """m > 0: every point's loss less m/2 |w|^2 is convex. With an L2 penalty of m/2 |w|^2 it is m."""
    smoothness: float
    """L > m: the gradient of every point's loss is L-Lipschitz. 1/4 + m for logistic loss on features of unit norm."""
    lipschitz: float
    """M > 0: the norm to which the gradient of one point's loss, without the penalty, is clipped."""
    delta: float
    """Between 0 and 1: the probability with which epsilon may fail. 1/n in the papers."""

    def __post_init__(self) -> None:
        require_count("n", self.n, least=1)
        for name in ("strong_convexity", "smoothness", "lipschitz", "delta"):
            require_positive(name, getattr(self, name))
        if self.delta >= 1:
            raise BadCertificate(
                f"delta is {self.delta}; expected a probability below 1, such as 1/n = {1 / self.n:g}."
            )
        if self.smoothness <= self.strong_convexity:
            raise BadCertificate(
                f"smoothness is {self.smoothness} and strong_convexity {self.strong_convexity}; smoothness must be the "
                f"larger. For logistic loss on features of unit norm it is {0.25 + self.strong_convexity:g}."
            )

    @property
    def step(self) -> float:
        """Return eta = 1/L, the step of (stochastic) Langevin unlearning."""
        return 1 / self.smoothness

    @property
    def decay(self) -> float:
        """Return eta m = m/L, between 0 and 1: the share of a distance that one step removes."""
        return self.strong_convexity / self.smoothness

    @property
    def log_inverse_delta(self) -> float:
        """Return ln(1/delta), in nats."""
        return -math.log(self.delta)

    @property
    def burn_in(self) -> int:
        """Return ceil(20 / (eta m)) steps, after which a start is forgotten up to e^-20."""
        return math.ceil(20 / self.decay)

    def require_points(self, points: int) -> int:
        """Return the number of forgotten points if it is from 1 to n. Raises BadCertificate."""
        require_count("points", points, least=1)
        if points > self.n:
            raise BadCertificate(f"points is {points}, but the training set has only n = {self.n} points.")
        return points


def require_count(name: str, value: object, *, least: int) -> int:
    """Return the value if it is an integer from `least` to 2^53. Raises BadCertificate."""
    try:
        count = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        count = -1
    if isinstance(value, bool) or not least <= count <= LARGEST_COUNT:
        raise BadCertificate(f"{name} is {value!r}; expected an integer of at least {least} (and at most 2^53).")
    return count


def require_positive(name: str, value: object) -> float:
    """Return the value as a number if it is finite and above 0. Raises BadCertificate."""
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 < number < math.inf:
        raise BadCertificate(f"{name} is {value!r}; expected a finite number above 0.")
    return number


@dataclass(frozen=True)
class Certificate:
    """The least epsilon over all orders alpha, for the problem's delta."""

    epsilon: float
    """In nats."""
    alpha: float
    """The order > 1 of the Renyi divergence that gives epsilon; infinite if alpha - 1 would have to exceed 1e308."""


def best_order(log_slope: float, wait: float, log_inverse_delta: float) -> Certificate:
    """Minimise A alpha e^(-B/alpha) + l/(alpha - 1) over alpha > 1: A = e^log_slope, B = `wait` >= 0, l = ln(1/delta).

    The first term bounds a Renyi divergence of order alpha; the second turns it into epsilon (equation 2 of
    `docs/certificates.md`; Mironov 2017, arXiv 1702.07476, Proposition 3).

    The minimum is global. The first term has second derivative A B^2 e^(-B/alpha) / alpha^3 >= 0, the second one
    2 l / (alpha - 1)^3 > 0, so their sum is strictly convex with one stationary point, where with u = ln(alpha - 1)
        ln A + 2u - x + ln(1 + x) = ln l,  x = B/alpha.
    The left side increases in u (x falls, and ln(1 + x) - x rises as x falls), and lies between ln A + 2u - B +
    ln(1 + B) and ln A + 2u: that brackets the root. With B = 0 it is epsilon = A + 2 sqrt(A l).
    """
    log_l = math.log(log_inverse_delta)
    low = (log_l - log_slope) / 2
    high = low + (wait - math.log1p(wait)) / 2

    def excess(u: float) -> float:
        x = wait * math.exp(-log1p_exp(u))
        return log_slope + 2 * u + (math.log1p(x) - x) - log_l

    u = root(excess, low, high)
    log_alpha = log1p_exp(u)
    divergence = exp_or_infinity(log_slope + log_alpha - wait * math.exp(-log_alpha))
    return Certificate(divergence + exp_or_infinity(log_l - u), exp_or_infinity(log_alpha))


def slope_of(epsilon: float, log_inverse_delta: float) -> float:
    """Return ln A of the largest A with A + 2 sqrt(A l) <= epsilon (nats): the inverse of `best_order` without a wait.

    Equation 3 of `docs/certificates.md`: sqrt(A) = sqrt(l + epsilon) - sqrt(l).
    """
    # the difference of the roots without cancellation
    return 2 * math.log(epsilon / (math.sqrt(log_inverse_delta + epsilon) + math.sqrt(log_inverse_delta)))


def root(increasing: Callable[[float], float], low: float, high: float) -> float:
    """Find the zero of an increasing function; return an end if the zero lies there or, by rounding, beyond it.

    It halves the interval: a faster way would take `lethe certify` longer to import than the answer takes.
    """
    if increasing(low) >= 0:
        return low
    if increasing(high) <= 0:
        return high
    while True:
        middle = (low + high) / 2
        if high - low <= ROOT_TOLERANCE * max(1.0, abs(middle)) or not low < middle < high:
            return middle
        low, high = (middle, high) if increasing(middle) < 0 else (low, middle)


def settle(sigma: float, holds: Callable[[float], bool]) -> float:
    """Raise a standard deviation by the few roundings that it may lack for `holds`, at most by 2e-9 of its value.

    Raises BadCertificate if the result does not fit into a double.
    """
    if not sys.float_info.min <= sigma < math.inf:
        raise BadCertificate(f"The least sigma is {sigma:.3g}, too far from 1 for a double. Change the steps.")
    for exponent in range(-50, -30):
        if holds(sigma):
            return sigma
        sigma *= 1 + 2.0**exponent
    raise BadCertificate(f"The least sigma, about {sigma:.3g}, could not be computed exactly. Change epsilon.")


def log1p_exp(u: float) -> float:
    """Compute ln(1 + e^u) for any u."""
    return max(u, 0.0) + math.log1p(math.exp(-abs(u)))


def exp_or_infinity(value: float) -> float:
    """Compute e^value; infinity if it does not fit into a double."""
    return math.exp(value) if value < LARGEST_EXPONENT else math.inf
