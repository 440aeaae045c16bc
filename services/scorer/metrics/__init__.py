"""Metrics: arrays in, numbers out. Imports numpy, scipy, numba and scikit-learn alone, not even the core."""

from services.scorer.metrics.arrays import BadArray
from services.scorer.metrics.confidences import confidences
from services.scorer.metrics.epsilons import epsilons
from services.scorer.metrics.interval import Estimate
from services.scorer.metrics.neurips_2023 import TOO_FEW_DISTINCT_MODELS, ScoreCard, score_neurips_2023
from services.scorer.metrics.quality import forgetting_quality
from services.scorer.metrics.registry import METRICS, metric

__all__ = [
    "METRICS",
    "TOO_FEW_DISTINCT_MODELS",
    "BadArray",
    "Estimate",
    "ScoreCard",
    "confidences",
    "epsilons",
    "forgetting_quality",
    "metric",
    "score_neurips_2023",
]
