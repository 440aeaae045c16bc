"""A score as the row that is kept of it."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.core.models import Score
from services.scorer.histograms import Histograms, Shared
from services.scorer.metrics import Audit, ScoreCard
from services.scorer.metrics.quality import BUCKET
from services.scorer.scoring import Report

__all__ = ["score_row", "subject_points"]

DIGITS = 6  # of what is kept per example; sums and intervals are kept in full


def score_row(evaluation_id: UUID, report: Report, *, subjects: NDArray[np.int64] | None, run_s: float) -> Score:
    """Make the row of one evaluation's score."""
    card = report.card
    return Score(
        evaluation_id=evaluation_id,
        metric=card.metric,
        forgetting_quality=card.forgetting_quality.value,
        forgetting_quality_low=card.forgetting_quality.low,
        forgetting_quality_high=card.forgetting_quality.high,
        utility=card.utility.value,
        utility_low=card.utility.low,
        utility_high=card.utility.high,
        final_score=card.final_score.value,
        ci_low=card.final_score.low,
        ci_high=card.final_score.high,
        seeds=card.models,
        distinct_models=card.distinct_models,
        effective_models=card.effective_models,
        run_s=run_s,
        ceiling=card.ceiling and card.ceiling.value,
        ceiling_low=card.ceiling and card.ceiling.low,
        ceiling_high=card.ceiling and card.ceiling.high,
        generalisation_low=card.generalisation and card.generalisation.low,
        generalisation_high=card.generalisation and card.generalisation.high,
        flags=list(card.flags),
        alarms=[{"kind": alarm.kind.value, "message": alarm.message} for alarm in report.alarms],
        suites=report.suites,
        halves=card.halves.tolist(),
        subject_points=subject_points(card, subjects),
        epsilons=_rounded(card.epsilons),
        audit=card.audit and _audit(card.audit),
        histograms=_histograms(report.histograms),
        certificate=report.certificate and asdict(report.certificate),
    )


def subject_points(card: ScoreCard, subjects: NDArray[np.int64] | None) -> list[list[float]]:
    """Sum each subject's points, in units of the final score, and count its examples; in order of the subjects' ids."""
    names = np.arange(len(card.points)) if subjects is None else subjects
    _, members = np.unique(names, return_inverse=True)
    totals = np.bincount(members, weights=card.points * card.utility.value)
    return [[float(total), float(size)] for total, size in zip(totals, np.bincount(members), strict=True)]


def _audit(audit: Audit) -> dict[str, Any]:
    return {
        "bounds": _rounded(audit.bounds),
        "largest_certifiable": audit.largest_certifiable,
        "claims": audit.claims,
        "gaussian": _rounded(audit.gaussian),
        "gaussian_fits": audit.gaussian_fits.tolist(),
    }


def _histograms(histograms: Histograms) -> dict[str, Any]:
    return {
        "bucket": BUCKET,
        "epsilons": histograms.epsilons.tolist(),
        "confidences": _shared(histograms.confidences),
        "examples": [
            {
                "place": one.place,
                "example": one.example,
                "epsilon": round(one.epsilon, DIGITS),
                "confidences": _shared(one.confidences),
            }
            for one in histograms.examples
        ],
    }


def _shared(shared: Shared) -> dict[str, Any]:
    return {
        "low": round(shared.low, DIGITS),
        "high": round(shared.high, DIGITS),
        "unlearned": shared.unlearned.tolist(),
        "oracle": shared.oracle.tolist(),
    }


def _rounded(values: NDArray[np.floating[Any]]) -> list[float]:
    return [round(float(value), DIGITS) for value in values]
