"""How far an order of scores is that which was published."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from services.scorer.metrics import Estimate, ScoreCard

__all__ = ["LEAST", "Ordered", "above", "correlations_beside", "rank_correlation"]

LEAST = 0.8  # the least rank correlation at which the order counts as found again
DRAWS = 2000
Halves = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ordered:
    """An entry with its scores by all metrics; the first one orders."""

    title: str
    published: float | None  # its score of 2023
    card: ScoreCard
    others: tuple[ScoreCard, ...] = ()
    run_s: float | None = None


def rank_correlation(entries: Sequence[Ordered], *, seed: int = 0) -> Estimate:
    """Compute Spearman's rank correlation of final scores with the published ones, and its 95% interval.

    The interval holds 95% of 2,000 draws, in each of which every entry has the score of a random half of its runs, so
    it is rather too wide than too narrow. Undefined correlations (all scores equal) count as 0.
    """
    published = _scores([entry.published for entry in entries])
    value = _spearman(_scores([entry.card.final_score.value for entry in entries]), published)
    generator = np.random.default_rng(seed)
    halves = [entry.card.halves.ravel() for entry in entries]
    drawn = np.stack([generator.choice(own, DRAWS) for own in halves], axis=1)  # [DRAWS, entries]
    found = [_spearman(scores, published) for scores in drawn]
    low, high = np.quantile(found, (0.025, 0.975))
    return Estimate(value, float(low), float(high))


def correlations_beside(entries: Sequence[Ordered]) -> dict[str, float]:
    """Compute Spearman's rank correlation with the published scores for other numbers of the same entries, by name."""
    published = _scores([entry.published for entry in entries])
    numbers = {
        "F alone": [entry.card.forgetting_quality.value for entry in entries],
        "utility alone": [entry.card.utility.value for entry in entries],
    }
    for place, card in enumerate(entries[0].others):
        numbers[f"`{card.metric}`"] = [entry.others[place].final_score.value for entry in entries]
    return {name: _spearman(_scores(values), published) for name, values in numbers.items()}


def above(first: ScoreCard, second: ScoreCard) -> str:
    """Say whether one entry scores above another: `yes`, `no`, or `uncertain` if their intervals overlap."""
    if first.final_score.low > second.final_score.high:
        return "yes"
    if first.final_score.high < second.final_score.low:
        return "no"
    return "uncertain"


def _scores(values: Sequence[float | None]) -> Halves:
    return np.array(values, dtype=np.float64)


def _spearman(scores: Halves, published: Halves) -> float:
    if len(set(scores.tolist())) == 1:
        return 0.0
    return float(spearmanr(scores, published).statistic)
