"""Accountants of certified unlearning: what epsilon a method has, the least noise, the fewest steps.

Imports the core's errors alone, and numpy for sequences of requests. `docs/certificates.md` holds the equations.
"""

from services.scorer.certificates import d2d, langevin, stochastic
from services.scorer.certificates.problem import BadCertificate, Certificate, ConvexProblem

__all__ = ["BadCertificate", "Certificate", "ConvexProblem", "d2d", "langevin", "stochastic"]
