"""Numbers and names as a reader wants them: rounding, intervals, and a plain sentence for each figure and flag."""

import math
from dataclasses import dataclass

from services.core.catalogue import ALARMS, FLAGS, METRICS, Better
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
    """Write a number with 4 significant digits, and what is not available as an en dash."""
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
    """Put the three numbers of a board into words."""
    quality = (
        "How like retrained models the unlearned ones are, relative to the ceiling: 1 is as good as retraining."
        if card.ceiling
        else "The mean of the examples' points, 0 to 1. Retraining itself stays well below 1: even equal models look a "
        "little different to so many attacks."
    )
    utility = "Accuracy on retain times accuracy on test examples, each relative to retrained models: 1 loses nothing."
    final = (
        "Forgetting quality times utility; higher is better. A re-run of the same entry lands in the interval "
        "about 19 times in 20."
    )
    return [
        Headline("Final score", interval(card.final_score), final),
        Headline("Forgetting quality", interval(card.forgetting_quality), quality),
        Headline("Utility", interval(card.utility), utility),
    ]


def facts(card: ScoreCard, oracle_models: int, ceiling: Estimate | None) -> list[Headline]:
    """Put into words what the three numbers rest on."""
    return [
        Headline("Unlearned models", str(card.models), "One per seed: the N of the score."),
        Headline("Distinct models", str(card.distinct_models), "Models that are no exact copy of another."),
        Headline("Effective models", str(card.effective_models), "Distinct models, near-duplicates counted once."),
        Headline("Retrained models", str(oracle_models), "The oracle: trained without the forget set."),
        Headline("Forget examples", str(len(card.epsilons)), "Each is attacked on its own."),
        Headline(
            "Ceiling", interval(ceiling), "Forgetting quality of models retrained independently: what retraining earns."
        ),
        Headline(
            "Other subjects",
            interval(card.generalisation),
            "The final score with the interval that it would have if other subjects were to be forgotten.",
        ),
    ]


def flag_sentence(flag: str) -> str:
    """Say what a flag means, and what follows; a flag that the catalogue no longer knows is named."""
    known = FLAGS.get(flag)
    return f"{known.meaning} {known.consequence}" if known else flag.replace("_", " ")


def alarm_title(kind: str) -> str:
    """Name a kind of alarm; one that the catalogue no longer knows, by its own words."""
    return ALARMS[kind].title if kind in ALARMS else kind.replace("_", " ").capitalize()


def metric_source(metric: str) -> str:
    """Say where the definition of a metric comes from."""
    return METRICS[metric].source if metric in METRICS else MISSING
