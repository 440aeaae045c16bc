"""Accountants of certified unlearning: the epsilon of a method, its least noise, its fewest steps.

This package imports only the core's errors, and numpy for sequences of requests. `docs/certificates.md` lists the
equations.
"""

from services.scorer.certificates import d2d, langevin, stochastic
from services.scorer.certificates.problem import BadCertificate, Certificate, ConvexProblem

__all__ = ["BadCertificate", "Certificate", "ConvexProblem", "d2d", "langevin", "stochastic"]
