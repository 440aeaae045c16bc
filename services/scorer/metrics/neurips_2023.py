"""`neurips-2023`: the competition's score, final = F x utility, with the intervals that it did not have."""

import numpy as np

from services.scorer.metrics.card import Estimate, Forgetting
from services.scorer.metrics.epsilons import epsilons
from services.scorer.metrics.quality import points_of
from services.scorer.metrics.registry import metric
from services.scorer.metrics.score import Sides
from services.scorer.metrics.uncertainty import SPLITS, error_of_halves, half_points, interval

__all__ = ["MIN_DISTINCT_MODELS", "TOO_FEW_DISTINCT_MODELS", "neurips_2023"]

MIN_DISTINCT_MODELS = 8
TOO_FEW_DISTINCT_MODELS = "too_few_distinct_models"


@metric("neurips-2023", clipped_utility=False)
def neurips_2023(sides: Sides) -> Forgetting:
    """Judge by the 2023 competition's epsilons.

    With fewer than 8 distinct models F is 0 and flagged, because its estimate means nothing.
    """
    unlearned, oracle = sides.unlearned, sides.oracle
    models = min(len(unlearned), len(oracle))
    values = epsilons(unlearned, oracle)
    if sides.distinct is not None and sides.distinct < MIN_DISTINCT_MODELS:
        nothing = np.zeros((SPLITS, 2, len(values)))
        flags = (TOO_FEW_DISTINCT_MODELS,)
        return Forgetting(Estimate(0.0, 0.0, 0.0), values, nothing[0, 0], nothing, sides.distinct, flags)
    points = points_of(values, models)
    halves = half_points(unlearned, oracle, lambda mine, theirs: points_of(epsilons(mine, theirs), models))
    return Forgetting(
        interval(float(points.mean()), error_of_halves(halves.mean(axis=2))),
        values,
        points,
        halves,
        sides.distinct or len(unlearned),
        (),
        originals=sides.between_originals(lambda runs: points_of(epsilons(unlearned[runs], oracle), models).mean()),
    )
