"""`lethe-1`: the 2023 score, made robust and honest. `docs/scoring.md` gives reasons and figures for every choice.

Against `neurips-2023`:
- ranges run between the 1% and 99% quantiles, so that one diverged model cannot decide an example;
- F is divided by the benchmark's ceiling, the F of a second oracle: 1 is as good as retraining. The interval includes
  the ceiling's own noise;
- an accuracy above the oracle's earns nothing;
- near-duplicates are counted once, and an entry with too few different models is not ranked;
- each example's epsilon comes with a sound lower bound and a Gaussian estimate.
A diverged unlearned model is never dropped: non-finite logits are an error, and finite ones count unchanged.
"""

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics.bounds import certified_bounds, largest_certifiable
from services.scorer.metrics.card import Audit, Estimate, Forgetting
from services.scorer.metrics.duplicates import effective_models
from services.scorer.metrics.epsilons import epsilons
from services.scorer.metrics.gaussian import fits_gaussian, gaussian_epsilons
from services.scorer.metrics.memory import remembered
from services.scorer.metrics.quality import points_of
from services.scorer.metrics.registry import metric
from services.scorer.metrics.score import Sides
from services.scorer.metrics.uncertainty import SPLITS, error_of_halves, half_points, interval

__all__ = [
    "MIN_EFFECTIVE_MODELS",
    "MIN_SCORED_MODELS",
    "NO_CEILING",
    "TOO_FEW_EFFECTIVE_MODELS",
    "TRIM",
    "audit",
    "ceiling",
    "lethe_1",
    "needed_models",
]

TRIM = 0.01
MIN_SCORED_MODELS = 8  # with fewer, F is 0
MIN_EFFECTIVE_MODELS = 64  # with fewer, an entry is not ranked
TOO_FEW_EFFECTIVE_MODELS = "too_few_effective_models"
NO_CEILING = "no_ceiling"

Confidences = NDArray[np.float64]  # [N, S]


@metric("lethe-1", clipped_utility=True)
def lethe_1(sides: Sides) -> Forgetting:
    """Judge relative to the benchmark's ceiling. If that is 0, as with very few models, F is 0 and flagged."""
    unlearned, oracle = sides.unlearned, sides.oracle
    highest = ceiling(oracle, sides.second)
    values = epsilons(unlearned, oracle, trim=TRIM)
    effective = min(effective_models(unlearned, oracle), sides.distinct or len(unlearned))
    points, halves = np.zeros(len(values)), np.zeros((SPLITS, 2, len(values)))
    most = 1 / highest.value if highest.value > 0 else 1.0  # the scale of F = 1
    if effective >= MIN_SCORED_MODELS and highest.value > 0:
        points = points_of(values, min(len(unlearned), len(oracle))) / highest.value
        halves = _half_points(unlearned, oracle) / highest.value
    models = min(len(unlearned), len(oracle))

    def quality(runs: NDArray[np.int64]) -> float:
        return float(points_of(epsilons(unlearned[runs], oracle, trim=TRIM), models).mean()) / highest.value

    value, noise = float(points.mean()), halves.mean(axis=2)
    if points.any():  # a ratio to first order: the ceiling's noise counts, less what both share of the oracle's
        noise = noise - value * _ceiling_halves(oracle, sides.second) / highest.value
    error = error_of_halves(noise)
    return Forgetting(
        quality=interval(value, error, highest=most),
        epsilons=values,
        points=points,
        halves=halves,
        effective_models=effective,
        flags=_flags(highest, effective, len(unlearned)),
        error=error,
        originals=sides.between_originals(quality) if points.any() else None,
        ceiling=highest,
        audit=audit(unlearned, oracle),
    )


@remembered
def ceiling(oracle: Confidences, second: Confidences | None) -> Estimate:
    """Compute F of a second oracle [N, S] against the oracle [M, S]; without one, F of the oracle's halves.

    Halves have half as many models, so their ceiling is that of N/2, which is close but not equal.
    """
    one, other = _sides_of_ceiling(oracle, second)
    if min(len(one), len(other)) == 0:
        return Estimate(0.0, 0.0, 0.0)  # one model has no halves
    value = float(points_of(epsilons(one, other, trim=TRIM), min(len(one), len(other))).mean())
    return interval(value, error_of_halves(_ceiling_halves(oracle, second)))


@remembered
def _ceiling_halves(oracle: Confidences, second: Confidences | None) -> NDArray[np.float64]:
    """Compute the ceiling of both halves of every split, [splits, 2]. The oracle is split as for an entry."""
    return np.asarray(_half_points(*_sides_of_ceiling(oracle, second)).mean(axis=2))


def _sides_of_ceiling(oracle: Confidences, second: Confidences | None) -> tuple[Confidences, Confidences]:
    return (second, oracle) if second is not None else (oracle[1::2], oracle[::2])


def audit(unlearned: Confidences, oracle: Confidences) -> Audit:
    """Bound and estimate the true epsilon of each example, from confidences [N, S] and [M, S]."""
    bounds, claims = certified_bounds(unlearned, oracle)
    return Audit(
        bounds=bounds,
        largest_certifiable=largest_certifiable(len(unlearned), len(oracle), claims),
        claims=claims,
        gaussian=gaussian_epsilons(unlearned, oracle),
        gaussian_fits=fits_gaussian(unlearned, oracle),
    )


def needed_models(models: int) -> int:
    """Return the number of effective models that an entry of N needs to rank: 64, or N / 2 if N is below 128."""
    return min(MIN_EFFECTIVE_MODELS, (models + 1) // 2)


def _half_points(unlearned: Confidences, oracle: Confidences) -> NDArray[np.float64]:
    models = min(len(unlearned), len(oracle))
    return half_points(unlearned, oracle, lambda mine, theirs: points_of(epsilons(mine, theirs, trim=TRIM), models))


def _flags(highest: Estimate, effective: int, models: int) -> tuple[str, ...]:
    flags = []
    if highest.value == 0.0:
        flags.append(NO_CEILING)
    if effective < max(needed_models(models), MIN_SCORED_MODELS):
        flags.append(TOO_FEW_EFFECTIVE_MODELS)
    return tuple(flags)
