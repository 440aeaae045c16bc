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
from services.scorer.metrics.variance import VarianceParts, between_originals, freedom_of

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

    def between_originals(self, quality: Callable[[NDArray[np.int64]], float]) -> float | None:
        """Estimate the standard error of the quality of some runs due to the draw of the originals; None if unknown."""
        starts = None if self.evidence is None else self.evidence.starts
        return None if starts is None else between_originals(starts, lambda runs, _: float(quality(runs)))


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
        parts = _parts(found, utility, evidence)
        return ScoreCard(
            metric=self.name,
            forgetting_quality=found.quality,
            utility=utility.estimate(),
            final_score=product(found.quality, utility.estimate()),
            generalisation=_generalisation(found, parts, utility.estimate(), evidence),
            variance=parts.scaled(utility.value(), starts=_starts(evidence)),
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


def _parts(found: Forgetting, utility: Utility, evidence: Evidence) -> VarianceParts:
    """Divide the standard error of forgetting quality; the originals' part includes utility's, in the same unit."""
    halves = error_of_halves(found.halves.mean(axis=2))
    error = halves if found.error is None else found.error
    names = _names(found, evidence.subjects)
    noise = (error / halves) ** 2 if halves else 1.0
    subjects = between_subjects(found.points, found.halves, names, noise=noise) if len(np.unique(names)) > 1 else None
    if found.originals is None or evidence.starts is None:
        return VarianceParts(error, None, subjects)
    own = between_originals(evidence.starts, lambda runs, _: utility.take(runs).value())
    return VarianceParts(
        error, float(np.hypot(found.originals, found.quality.value * own / (utility.value() or 1.0))), subjects
    )


def _generalisation(found: Forgetting, parts: VarianceParts, utility: Estimate, evidence: Evidence) -> Estimate | None:
    """Widen the interval for the choice of originals and subjects."""
    groups = len(np.unique(_names(found, evidence.subjects)))
    if groups < 2:
        return None
    most = 1 / found.ceiling.value if found.ceiling and found.ceiling.value > 0 else 1.0
    freedom = freedom_of(parts, originals=_starts(evidence) or 1, most=min(groups, SPLITS) - 1)
    return product(interval(found.quality.value, parts.total, freedom=freedom, highest=most), utility)


def _names(found: Forgetting, subjects: NDArray[Any] | None) -> NDArray[Any]:
    """Return the subject of each forget example; without subjects, every example counts as one."""
    return np.arange(len(found.points)) if subjects is None else subjects


def _starts(evidence: Evidence) -> int | None:
    """Count the originals that runs started from; None if the benchmark does not tell."""
    if evidence.starts is not None:
        return len(np.unique(evidence.starts))
    if evidence.originals is None:
        return None
    own = evidence.independent and len(evidence.originals) >= len(evidence.unlearned)
    return len(evidence.unlearned) if own else 1
