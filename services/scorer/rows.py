"""A score as JSON for readers, and as a row of the database."""

from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.core.board.shown import ForgettingForm, ScoreForm
from services.core.distribution import program
from services.core.models import Score
from services.core.models.costs import CostForm
from services.core.models.stored import AuditForm, ConfidencesForm, ExampleForm, HistogramsForm, VarianceForm
from services.scorer.histograms import Histograms, Shared
from services.scorer.metrics import Audit, Estimate, Forgetting, ScoreCard
from services.scorer.metrics.quality import BUCKET
from services.scorer.scoring import Report

__all__ = ["forgetting_form", "score_form", "score_row", "subject_points"]

DIGITS = 6  # of figures per example; sums and intervals are kept in full


def score_row(
    evaluation_id: UUID,
    report: Report,
    *,
    subjects: NDArray[np.integer[Any]] | None,
    run_s: float,
    cost: CostForm | None = None,
) -> Score:
    """Make the row of one evaluation's score."""
    card = report.card
    return Score(
        **dict(score_form(report, run_s=run_s, cost=cost)),
        evaluation_id=evaluation_id,
        alarms=list(report.alarms),
        halves=card.halves.tolist(),
        subject_points=subject_points(card, subjects),
        epsilons=_rounded(card.epsilons),
        audit=card.audit and _audit(card.audit),
        histograms=_histograms(report.histograms),
        program=program(),
    )


def score_form(report: Report, *, run_s: float | None = None, cost: CostForm | None = None) -> ScoreForm:
    """Make the JSON form of a report's score."""
    card = report.card
    return ScoreForm(
        metric=card.metric,
        **_named("forgetting_quality", card.forgetting_quality),
        **_named("ceiling", card.ceiling),
        **_named("utility", card.utility),
        final_score=card.final_score.value,
        ci_low=card.final_score.low,
        ci_high=card.final_score.high,
        generalisation_low=card.generalisation and card.generalisation.low,
        generalisation_high=card.generalisation and card.generalisation.high,
        seeds=card.models,
        distinct_models=card.distinct_models,
        effective_models=card.effective_models,
        run_s=run_s,
        flags=list(card.flags),
        suites=report.suites,
        cost=cost,
        certificate=report.certificate,
        variance=None if card.variance is None else VarianceForm.model_validate(card.variance),
    )


def forgetting_form(metric: str, found: Forgetting, *, models: int) -> ForgettingForm:
    """Make the JSON form of a metric's result for confidences only."""
    return ForgettingForm(
        metric=metric,
        **_named("forgetting_quality", found.quality),
        **_named("ceiling", found.ceiling),
        seeds=models,
        effective_models=found.effective_models,
        flags=list(found.flags),
    )


def _named(name: str, estimate: Estimate | None) -> dict[str, Any]:
    value, low, high = (None, None, None) if estimate is None else (estimate.value, estimate.low, estimate.high)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def subject_points(card: ScoreCard, subjects: NDArray[np.integer[Any]] | None) -> list[list[float]]:
    """Sum each subject's points, in units of the final score, and count its examples, in the order of subject ids."""
    names = np.arange(len(card.points)) if subjects is None else subjects
    _, members = np.unique(names, return_inverse=True)
    totals = np.bincount(members, weights=card.points * card.utility.value)
    return [[float(total), float(size)] for total, size in zip(totals, np.bincount(members), strict=True)]


def _audit(audit: Audit) -> AuditForm:
    return AuditForm(
        bounds=_rounded(audit.bounds),
        largest_certifiable=audit.largest_certifiable,
        claims=audit.claims,
        gaussian=_rounded(audit.gaussian),
        gaussian_fits=audit.gaussian_fits.tolist(),
    )


def _histograms(histograms: Histograms) -> HistogramsForm:
    return HistogramsForm(
        bucket=BUCKET,
        epsilons=histograms.epsilons.tolist(),
        confidences=_shared(histograms.confidences),
        examples=[
            ExampleForm(
                place=one.place,
                example=one.example,
                epsilon=round(one.epsilon, DIGITS),
                confidences=_shared(one.confidences),
            )
            for one in histograms.examples
        ],
    )


def _shared(shared: Shared) -> ConfidencesForm:
    return ConfidencesForm(
        low=round(shared.low, DIGITS),
        high=round(shared.high, DIGITS),
        unlearned=shared.unlearned.tolist(),
        oracle=shared.oracle.tolist(),
    )


def _rounded(values: NDArray[np.floating[Any]]) -> list[float]:
    return [round(float(value), DIGITS) for value in values]
