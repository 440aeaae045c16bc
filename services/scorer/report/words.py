"""Numbers and names as a reader wants them: rounding, intervals, and a plain sentence for each figure and flag."""

import math
from dataclasses import dataclass

from services.scorer.metrics import TOO_FEW_DISTINCT_MODELS, TOO_FEW_EFFECTIVE_MODELS, Better, Estimate, ScoreCard
from services.scorer.metrics.lethe_1 import GAUSSIAN_DOUBTFUL, MAX_MISFITS, MIN_SCORED_MODELS, NO_CEILING, needed_models
from services.scorer.metrics.neurips_2023 import MIN_DISTINCT_MODELS
from services.scorer.metrics.score import NOT_INDEPENDENT

__all__ = ["BETTER", "Headline", "facts", "flag_sentence", "headlines", "interval", "metric_source", "number"]

MISSING = "–"
BETTER = {
    Better.HIGHER: "higher",
    Better.LOWER: "lower",
    Better.ORACLE: "closer to the oracle",
}
SOURCES = {
    "neurips-2023": "the public scoring code of the NeurIPS 2023 competition, google-deepmind/unlearning_evaluation",
    "lethe-1": "this project: the 2023 score made robust, described in docs/scoring.md",
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


def flag_sentence(flag: str, card: ScoreCard) -> str:
    """Say what a flag means; one without a sentence is named."""
    sentences = {
        TOO_FEW_DISTINCT_MODELS: f"Fewer than {MIN_DISTINCT_MODELS} models are distinct: forgetting quality cannot be "
        "estimated and counts as 0.",
        TOO_FEW_EFFECTIVE_MODELS: f"Only {card.effective_models} models differ by more than a near-duplicate would; "
        f"{needed_models(card.models)} are needed, so this entry does not rank"
        + ("." if card.effective_models >= MIN_SCORED_MODELS else ", and its forgetting quality counts as 0."),
        NO_CEILING: "Retraining itself earns nothing here, as with very few models: there is no ceiling to divide by, "
        "and forgetting quality counts as 0.",
        GAUSSIAN_DOUBTFUL: f"More than {MAX_MISFITS:.0%} of the examples do not pass as Gaussian: do not lean on the "
        "Gaussian estimates. The score does not use them.".replace("%", " %"),
        NOT_INDEPENDENT: "All models come from one process, as a notebook's do, and may depend on each other: nothing "
        "can be proven of them, so there are no sound bounds.",
    }
    return sentences.get(flag, flag.replace("_", " "))


def metric_source(metric: str) -> str:
    """Say where the definition of a metric comes from."""
    return SOURCES.get(metric, MISSING)
