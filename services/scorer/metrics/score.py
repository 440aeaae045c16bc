"""From evidence to a score card: forgetting, judged by a metric, times utility."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics.arrays import pair_confidences
from services.scorer.metrics.card import Estimate, Forgetting, ScoreCard
from services.scorer.metrics.evidence import Evidence
from services.scorer.metrics.uncertainty import SPLITS, between_subjects, error_of_halves, interval, product
from services.scorer.metrics.utility import Utility

__all__ = ["NOT_INDEPENDENT", "Judge", "Metric", "Sides"]

NOT_INDEPENDENT = "independence_not_enforced"


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """Logit-scaled confidences of both sides on the same S forget examples."""

    unlearned: NDArray[np.float64]  # [N, S]
    oracle: NDArray[np.float64]  # [M, S]
    second: NDArray[np.float64] | None  # [K, S], of a second oracle
    distinct: int | None = None  # number of unlearned models that are not copies of another one; None if unknown
    evidence: Evidence | None = None  # all measurements; None if there are only confidences

    @classmethod
    def of(cls, evidence: Evidence) -> "Sides":
        labels, second = evidence.forget_labels, evidence.second_oracle
        return cls(
            evidence.unlearned.confidences(labels, name="unlearned_logits"),
            evidence.oracle.confidences(labels, name="oracle_logits"),
            None if second is None else second.confidences(labels, name="second_oracle_logits"),
            evidence.unlearned.distinct,
            evidence,
        )

    @classmethod
    def of_arrays(cls, unlearned: NDArray[Any], oracle: NDArray[Any], second: NDArray[Any] | None = None) -> "Sides":
        """Use given confidences, [N, S], [M, S] and [K, S]. Raises BadArray if they cannot be scored."""
        if second is not None:
            second, _ = pair_confidences(second, oracle, names=("second", "retrained"))
        mine, theirs = pair_confidences(unlearned, oracle)
        return cls(mine, theirs, second)


Judge = Callable[[Sides], Forgetting]


@dataclass(frozen=True, slots=True)
class Metric:
    """A versioned metric. If there are only confidences, `judge` is enough."""

    name: str
    judge: Judge
    clipped_utility: bool

    def __call__(self, evidence: Evidence) -> ScoreCard:
        """Score N unlearned against M oracle models. Raises BadArray if they cannot be scored."""
        evidence.check()
        found = self.judge(Sides.of(evidence))
        utility = Utility.of(evidence, clipped=self.clipped_utility)
        return ScoreCard(
            metric=self.name,
            forgetting_quality=found.quality,
            utility=utility.estimate(),
            final_score=product(found.quality, utility.estimate()),
            generalisation=_generalisation(found, utility.estimate(), evidence.subjects),
            ceiling=found.ceiling,
            epsilons=found.epsilons,
            points=found.points,
            models=len(evidence.unlearned),
            distinct_models=evidence.unlearned.distinct,
            effective_models=found.effective_models,
            flags=found.flags if evidence.independent else (*found.flags, NOT_INDEPENDENT),
            halves=found.halves.mean(axis=2) * utility.halves(),
            audit=found.audit if evidence.independent else None,  # bounds assume independent draws
        )


def _generalisation(found: Forgetting, utility: Estimate, subjects: NDArray[Any] | None) -> Estimate | None:
    """Widen the interval for the choice of subjects; without subjects, every example counts as one."""
    names = np.arange(len(found.points)) if subjects is None else subjects
    groups = len(np.unique(names))
    if groups < 2:
        return None
    rerun = error_of_halves(found.halves.mean(axis=2))
    error = float(np.hypot(rerun, between_subjects(found.points, found.halves, names)))
    most = 1 / found.ceiling.value if found.ceiling and found.ceiling.value > 0 else 1.0
    quality = interval(found.quality.value, error, freedom=min(groups, SPLITS) - 1, highest=most)
    return product(quality, utility)
