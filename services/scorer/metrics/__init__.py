"""Metrics: arrays in, numbers out. This package imports only numpy, scipy, numba and scikit-learn, not even the core.

`METRICS` compute the scores by which a leaderboard ranks, `SUITES` the secondary columns beside them.
"""

from services.scorer.metrics import suites as _suites  # noqa: F401 - importing registers them
from services.scorer.metrics.alarms import Alarm, AlarmKind, raise_alarms
from services.scorer.metrics.arrays import BadArray
from services.scorer.metrics.card import Audit, Estimate, Forgetting, ScoreCard, Variance
from services.scorer.metrics.certificate import CertificateAudit, audit_certificate, lower_bound
from services.scorer.metrics.confidences import confidences
from services.scorer.metrics.epsilons import epsilons
from services.scorer.metrics.evidence import Claimed, Evidence, Models, PlaceboSides, Predictions, Runs, Upload
from services.scorer.metrics.lethe_1 import TOO_FEW_EFFECTIVE_MODELS
from services.scorer.metrics.lethe_2 import FORGET_SET_PINNED
from services.scorer.metrics.movements import Movement
from services.scorer.metrics.neurips_2023 import TOO_FEW_DISTINCT_MODELS
from services.scorer.metrics.quality import forgetting_quality, points_of
from services.scorer.metrics.registry import METRICS, SUITES, Suite
from services.scorer.metrics.score import Metric, Sides
from services.scorer.metrics.stress import Stressed, StressedSides

__all__ = [
    "FORGET_SET_PINNED",
    "METRICS",
    "SUITES",
    "TOO_FEW_DISTINCT_MODELS",
    "TOO_FEW_EFFECTIVE_MODELS",
    "Alarm",
    "AlarmKind",
    "Audit",
    "BadArray",
    "CertificateAudit",
    "Claimed",
    "Estimate",
    "Evidence",
    "Forgetting",
    "Metric",
    "Models",
    "Movement",
    "PlaceboSides",
    "Predictions",
    "Runs",
    "ScoreCard",
    "Sides",
    "Stressed",
    "StressedSides",
    "Suite",
    "Upload",
    "Variance",
    "audit_certificate",
    "confidences",
    "epsilons",
    "forgetting_quality",
    "lower_bound",
    "points_of",
    "raise_alarms",
]
