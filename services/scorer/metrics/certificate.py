"""The audit of a certificate: one linear attack on all forget logits, one test.

A certificate says that unlearned and retrained models are indistinguishable up to (epsilon, delta). Half of the models
of each side choose a direction in the space of all forget logits, and a threshold on it; the other half, which had no
part in the choice, are counted above it. The bound follows as in `bounds`, for a single claim: with 95% confidence no
true epsilon is below it. So it exceeds a true claim at most one time in twenty.

The audit is sound if the models of either side are independent draws, so each run needs a different original model. If
all runs shared one, the unlearned models would be more alike than any certificate says, and the audit would reject
every true claim.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

from services.scorer.metrics.bounds import bound_table
from services.scorer.metrics.evidence import Evidence

__all__ = ["CertificateAudit", "audit_certificate", "lower_bound"]

FOLDS = 5  # within the first half, so that a threshold is chosen on models that did not choose the direction
MAX_FEATURES = 2048  # of more logits, only this number, evenly chosen
RIDGE = 1e-6  # added to a standardised covariance: if nothing varies, the difference of means decides

Features = NDArray[np.float64]  # [N, features]


@dataclass(frozen=True, slots=True)
class CertificateAudit:
    """A claim with the results of accountant and audit."""

    epsilon: float  # as claimed, in nats
    delta: float
    accountant_epsilon: float | None  # of the claimed method with the claimed steps
    audited_epsilon: float | None  # a sound lower bound, 95%
    largest_auditable: float | None  # the bound that a perfect attack on this number of models would prove
    notes: tuple[str, ...] = ()  # reasons for missing numbers


def audit_certificate(evidence: Evidence) -> CertificateAudit | None:
    """Test the claim of an entry against its runs; None if it makes none."""
    claimed = evidence.claimed
    if claimed is None:
        return None
    audited, largest, notes = None, None, list(claimed.notes)
    if not claimed.auditable:
        notes.append("Not audited: all runs start from one original model, but a certificate assumes a random one.")
    elif not evidence.independent:
        notes.append("Not audited: the runs of a notebook are not independent.")
    else:
        mine, theirs = (_features(side.forget_logits) for side in (evidence.unlearned, evidence.oracle))
        audited, largest = lower_bound(mine, theirs, delta=claimed.delta)
    return CertificateAudit(
        claimed.epsilon, claimed.delta, claimed.accountant_epsilon, audited, largest, notes=tuple(notes)
    )


def lower_bound(unlearned: Features, retrained: Features, *, delta: float) -> tuple[float, float]:
    """Bound epsilon (nats) at `delta` from below with 95% confidence, from independent draws [N, d] and [M, d].

    Returns the bound, and the bound that a perfect attack on the same models would prove. With fewer than four models
    on a side, which are too few to choose a direction, both are 0.
    """
    if min(len(unlearned), len(retrained)) < 4:
        return 0.0, 0.0
    first, second = (unlearned[::2], retrained[::2]), (unlearned[1::2], retrained[1::2])
    threshold = _threshold(*_held_out_scores(*first), delta=delta)
    direction = _direction(*first)
    mine, theirs = (int((side @ direction > threshold).sum()) for side in second)
    table = bound_table(len(second[0]), len(second[1]), claims=1, delta=delta)
    return float(table[mine, theirs]), float(table.max())


def _features(logits: NDArray[np.floating[Any]]) -> Features:
    """Return the differences of all logits [N, S, C] between classes: [N, S (C - 1)]."""
    wide = np.asarray(logits, dtype=np.float64)
    flat = (wide[:, :, 1:] - wide[:, :, :1]).reshape(len(wide), -1)
    kept = np.unique(np.linspace(0, flat.shape[1] - 1, min(MAX_FEATURES, flat.shape[1])).astype(int))
    return flat[:, kept]


def _direction(unlearned: Features, retrained: Features) -> NDArray[np.float64]:
    """Return Fisher's discriminant [d] with unit length in standard deviations and shrunk covariance (Ledoit, Wolf)."""
    residuals = np.concatenate([side - side.mean(axis=0) for side in (unlearned, retrained)])
    scale = residuals.std(axis=0)
    scale[scale == 0] = 1.0
    covariance, _ = ledoit_wolf(residuals / scale, assume_centered=True) if residuals.any() else (0.0, 0.0)
    difference = (unlearned.mean(axis=0) - retrained.mean(axis=0)) / scale
    direction: NDArray[np.float64] = np.linalg.solve(covariance + RIDGE * np.eye(len(scale)), difference) / scale
    return direction / max(float(np.linalg.norm(direction * scale)), 1e-300)


def _held_out_scores(unlearned: Features, retrained: Features) -> tuple[Features, Features]:
    """Score every model by a direction chosen without it."""
    scores = (np.empty(len(unlearned)), np.empty(len(retrained)))
    folds = min(FOLDS, len(unlearned), len(retrained))
    for fold in range(folds):
        out = tuple(np.arange(len(side)) % folds == fold for side in (unlearned, retrained))
        direction = _direction(unlearned[~out[0]], retrained[~out[1]])
        for score, side, held in zip(scores, (unlearned, retrained), out, strict=True):
            score[held] = side[held] @ direction
    return scores


def _threshold(unlearned: Features, retrained: Features, *, delta: float) -> float:
    """Find the threshold between two neighbouring scores [N], [M] that would prove the most."""
    values = np.unique(np.concatenate([unlearned, retrained]))
    cuts = (values[1:] + values[:-1]) / 2 if len(values) > 1 else values
    above = [len(side) - np.searchsorted(np.sort(side), cuts, side="right") for side in (unlearned, retrained)]
    table = bound_table(len(unlearned), len(retrained), claims=1, delta=delta)
    return float(cuts[np.argmax(table[above[0], above[1]])])
