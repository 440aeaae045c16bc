"""Numbers and names as a reader wants them: rounding, intervals, and a plain sentence for each figure and flag."""

import math
from dataclasses import dataclass

from services.core.board.noise import noise_in_words
from services.core.catalogue import ALARMS, FLAGS, METRICS, Better
from services.core.models.stored import VarianceForm
from services.scorer.metrics import Estimate, ScoreCard

__all__ = [
    "BETTER",
    "Headline",
    "alarm_title",
    "facts",
    "flag_sentence",
    "headlines",
    "interval",
    "metric_source",
    "noise",
    "number",
]

MISSING = "–"
BETTER = {
    Better.HIGHER: "higher",
    Better.LOWER: "lower",
    Better.ORACLE: "closer to the oracle",
    Better.NEITHER: "to compare with",
}


@dataclass(frozen=True, slots=True)
class Headline:
    """One number and what it means."""

    name: str
    value: str
    meaning: str


def number(value: float | None) -> str:
    """Write a number with 4 significant digits; write a missing one as an en dash."""
    if value is None or math.isnan(value):
        return MISSING
    return f"{value:.4g}"


def interval(estimate: Estimate | None) -> str:
    """Write an estimate as `0.178 (0.150 to 0.212)`, to two digits of the interval's width, 3 to 6 decimals."""
    if estimate is None or math.isnan(estimate.value):
        return MISSING
    width = estimate.high - estimate.low
    if not 0 < width < math.inf:
        return f"{number(estimate.value)} ({number(estimate.low)} to {number(estimate.high)})"
    digits = min(max(1 - math.floor(math.log10(width)), 3), 6)
    return f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f} to {estimate.high:.{digits}f})"


def headlines(card: ScoreCard) -> list[Headline]:
    """Put the three numbers of a leaderboard into words."""
    quality = (
        "How closely the unlearned models resemble retrained ones, relative to the ceiling: 1 is as good as retraining."
        if card.ceiling
        else "The mean of the examples' points, 0 to 1. Retraining itself stays well below 1, because even equal "
        "models look a little different to so many attacks."
    )
    utility = (
        "Accuracy on retain examples times accuracy on test examples, each relative to retrained models; at 1 nothing "
        "is lost."
    )
    final = (
        "Forgetting quality times utility; higher is better. If the same entry is run again, its score lies in the "
        "interval in about 95% of cases."
    )
    return [
        Headline("Final score", interval(card.final_score), final),
        Headline("Forgetting quality", interval(card.forgetting_quality), quality),
        Headline("Utility", interval(card.utility), utility),
    ]


def facts(card: ScoreCard, oracle_models: int, ceiling: Estimate | None) -> list[Headline]:
    """Put the basis of the three numbers into words."""
    return [
        Headline("Unlearned models", str(card.models), "One per seed: the N of the score."),
        Headline("Distinct models", str(card.distinct_models), "Models that are not exact copies of another one."),
        Headline("Effective models", str(card.effective_models), "Distinct models, with near-duplicates counted once."),
        Headline("Retrained models", str(oracle_models), "The oracle: trained without the forget set."),
        Headline("Forget examples", str(len(card.epsilons)), "Each is attacked on its own."),
        Headline("Ceiling", interval(ceiling), "The forgetting quality that independently retrained models reach."),
        Headline(
            "All drawn anew",
            interval(card.generalisation),
            "The final score, with an interval that also covers other original models and other examples to forget.",
        ),
    ]


def noise(card: ScoreCard) -> list[str]:
    """Say where the noise of a score comes from, and what its intervals leave out."""
    if card.variance is None:
        return []
    return noise_in_words(VarianceForm.model_validate(card.variance), models=card.models)


def flag_sentence(flag: str) -> str:
    """Explain a flag and its consequence; return only the name of a flag that the catalogue no longer knows."""
    known = FLAGS.get(flag)
    return f"{known.meaning} {known.consequence}" if known else flag.replace("_", " ")


def alarm_title(kind: str) -> str:
    """Return the title of a kind of alarm; if the catalogue no longer knows it, turn its name into words."""
    return ALARMS[kind].title if kind in ALARMS else kind.replace("_", " ").capitalize()


def metric_source(metric: str) -> str:
    """Name the source of a metric's definition."""
    return METRICS[metric].source if metric in METRICS else MISSING
