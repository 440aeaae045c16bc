"""The cap of `lethe-2`: how much of its forgetting an entry keeps if all examples together tell it from retraining."""

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics.evidence import Labels
from services.scorer.metrics.joint import audit_jointly
from services.scorer.metrics.shifts import Outputs, Shifts

__all__ = ["cap_of"]

CERTAIN = 1.0  # nats that forget examples must exceed controls by: bounds of equals differ by less
CONTROLS = 4  # sets of controls that the joint audit is held against
NAT_OF_HALVING = 0.5
CONTROL_SEED = 2024  # public and fixed, so that a score can be recomputed
LOOKS_FORGOTTEN = 0.95  # quantile of control shifts, within which an example looks forgotten

Array = NDArray[np.float64]


def cap_of(models: Outputs, oracle: Outputs, shifts: Shifts, starts: Labels | None) -> float:
    """Halve for each half nat that the joint audit proves of forget examples beyond equally many test examples.

    Means are removed, because memory measures them; what is left is how models vary. Only examples take part that look
    forgotten, each alone. If there are several originals, the claim must also hold among the runs of each: originals
    drift, and by chance more on some examples than on others.
    """
    alike = np.abs(shifts.forget) <= np.quantile(np.abs(shifts.test), LOOKS_FORGOTTEN)
    excess = _proven_excess(models, oracle, alike, None)
    if excess >= CERTAIN and starts is not None:
        excess = min(excess, _proven_excess(models, oracle, alike, starts))
    return float(0.5 ** np.floor(excess / NAT_OF_HALVING)) if excess >= CERTAIN else 1.0


def _proven_excess(models: Outputs, oracle: Outputs, alike: NDArray[np.bool_], starts: Labels | None) -> float:
    """Return the nats that the joint audit proves of some forget examples beyond the most told of test examples."""
    count = min(int(alike.sum()), models.test.shape[1])
    if count == 0:
        return 0.0
    forget = audit_jointly(_centred(models.forget[:, alike], starts), _centred(oracle.forget[:, alike])).bound
    order = np.random.default_rng(CONTROL_SEED).permutation(models.test.shape[1])
    excess = forget
    for turn in range(CONTROLS):
        if excess < CERTAIN:
            break
        chosen = np.roll(order, -count * turn)[:count]
        control = audit_jointly(_centred(models.test[:, chosen], starts), _centred(oracle.test[:, chosen])).bound
        excess = min(excess, forget - control)
    return excess


def _centred(side: Array, starts: Labels | None = None) -> Array:
    """Remove the mean over models, or over those of each original, [N, examples]; the variance stays what it was."""
    if starts is None:
        return np.asarray(side - side.mean(axis=0))
    centred = np.empty_like(side)
    for start in np.unique(starts):
        own = side[starts == start]
        if len(own) < 2:
            return _centred(side)
        centred[starts == start] = (own - own.mean(axis=0)) * np.sqrt(len(own) / (len(own) - 1))
    return centred
