"""A score as JSON: one form for the API, `lethe score --json` and `lethe evaluate --json`.

An estimate `x` has its 95% interval in `x_low` and `x_high`; that of the final score is `ci_low` and `ci_high`.
"""

from pydantic import BaseModel, ConfigDict, Field

from services.core.models.costs import CostForm
from services.core.models.stored import CertificateForm, SuiteValues, VarianceForm

__all__ = ["FiguresForm", "ForgettingForm", "ScoreForm"]


class ForgettingForm(BaseModel):
    """The part of a score that needs only confidences; plain arrays have no more."""

    model_config = ConfigDict(from_attributes=True)

    metric: str
    forgetting_quality: float
    forgetting_quality_low: float
    forgetting_quality_high: float
    ceiling: float | None = Field(description="Forgetting quality of a second oracle, if the metric is relative to it.")
    ceiling_low: float | None
    ceiling_high: float | None
    seeds: int = Field(description="N, the number of unlearned models.")
    effective_models: int = Field(description="The number of models if near-duplicates count once.")
    flags: list[str] = Field(description="Notes on the score; `GET /api/metrics` explains each.")


class FiguresForm(ForgettingForm):
    """All figures of a score that a leaderboard compares."""

    utility: float
    utility_low: float
    utility_high: float
    final_score: float
    ci_low: float = Field(description="Lower end of the 95% interval of the final score if the same code is re-run.")
    ci_high: float = Field(description="Upper end of that interval.")
    generalisation_low: float | None = Field(
        description="Lower end of a 95% interval that also covers other originals and other forget sets."
    )
    generalisation_high: float | None = Field(description="Upper end of that interval.")
    distinct_models: int
    run_s: float | None = Field(description="Mean wall-clock time of one run, in seconds; null if unknown.")


class ScoreForm(FiguresForm):
    """A score with its secondary columns."""

    suites: SuiteValues = Field(description="Secondary columns, by suite; never ranked by.")
    cost: CostForm | None = Field(
        description="What a run takes of the platform's full retraining, timed between the runs; null if it was not."
    )
    certificate: CertificateForm | None = Field(description="The certificate, if the submission claims one.")
    variance: VarianceForm | None = Field(
        description="Where the noise of the final score comes from; null in scores of earlier versions."
    )
