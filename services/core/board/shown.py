"""A score as JSON: one form for the API, `lethe score --json` and `lethe evaluate --json`.

An estimate `x` has its 95% interval in `x_low` and `x_high`; that of the final score is `ci_low` and `ci_high`.
"""

from pydantic import BaseModel, ConfigDict, Field

from services.core.models.stored import CertificateForm, SuiteValues

__all__ = ["FiguresForm", "ForgettingForm", "ScoreForm"]


class ForgettingForm(BaseModel):
    """What confidences alone say: all that plain arrays can be scored by."""

    model_config = ConfigDict(from_attributes=True)

    metric: str
    forgetting_quality: float
    forgetting_quality_low: float
    forgetting_quality_high: float
    ceiling: float | None = Field(description="F of a second oracle, if the metric is relative to it.")
    ceiling_low: float | None
    ceiling_high: float | None
    seeds: int = Field(description="Unlearned models, N.")
    effective_models: int = Field(description="Distinct models, near-duplicates counted once.")
    flags: list[str] = Field(description="What each means: `GET /api/metrics`.")


class FiguresForm(ForgettingForm):
    """All figures of a score that a leaderboard compares."""

    utility: float
    utility_low: float
    utility_high: float
    final_score: float
    ci_low: float = Field(description="95% interval of the final score if the same entry is run again.")
    ci_high: float
    generalisation_low: float | None = Field(description="95% interval that also covers other subjects to forget.")
    generalisation_high: float | None
    distinct_models: int
    run_s: float | None = Field(description="Mean wall clock of one unlearning run; null if nobody knows.")


class ScoreForm(FiguresForm):
    """A score with its secondary columns."""

    suites: SuiteValues = Field(description="Secondary columns, by suite; never ranked by.")
    certificate: CertificateForm | None = Field(description="Of an entry that claims one.")
