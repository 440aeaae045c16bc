"""KLoM: how far the distribution of each example's margin is from the oracle's, as a KL divergence in nats.

Source: Georgiev, Rinberg et al., "Attribute-to-Delete" (arXiv 2410.23232); Rinberg et al., EasyDUB (arXiv 2602.16400).
A margin is the log-odds of the label (used in training, for forget examples), clipped to +-100; a histogram of 20 bins
is taken over the joint range of both sides; in bins where the unlearned have mass, probabilities of the oracle below
1e-5 are raised to 1e-5, and the oracle's are then normalised.

Differs from the public code: there the bins end before the largest value, which is thus dropped (one of its versions
also makes 19 bins out of 20 and clips only the unlearned side). Here both sides are clipped, all 20 bins have equal
width, and the last one contains the maximum. With finitely many models, a divergence of histograms is above 0 even
between two oracles, and more so with fewer models, so compare it with that of a second oracle.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics.evidence import Evidence
from services.scorer.metrics.registry import suite
from services.scorer.metrics.suites.predictions import Array, log_odds, stored_margins

__all__ = ["divergences", "klom"]

Margins = NDArray[np.floating[Any]]

FARTHEST = 100.0
BINS = 20
FLOOR = 1e-5
BLOCK = 500  # examples at a time: the float64 copies of 512 models stay in a few MB


def divergences(unlearned: Margins, oracle: Margins) -> Array:
    """Compute KL(unlearned || oracle), [T] nats, of margins [N, T] and [M, T]."""
    blocks = range(0, unlearned.shape[1], BLOCK)
    return np.concatenate([_of_block(unlearned[:, at : at + BLOCK], oracle[:, at : at + BLOCK]) for at in blocks])


def _of_block(unlearned: Margins, oracle: Margins) -> Array:
    sides = [np.clip(side.astype(np.float64), -FARTHEST, FARTHEST) for side in (unlearned, oracle)]
    low = np.minimum(sides[0].min(axis=0), sides[1].min(axis=0))
    width = np.maximum(sides[0].max(axis=0), sides[1].max(axis=0)) - low
    width[width == 0] = 1.0
    p, q = (_histogram((side - low) / width) for side in sides)
    q = np.where(p > 0, np.maximum(q, FLOOR), q)
    q /= q.sum(axis=1, keepdims=True)
    terms = p * np.log(np.divide(p, q, out=np.ones_like(p), where=p > 0))
    sums: Array = terms.sum(axis=1)
    return np.maximum(sums, 0.0)  # rounding can make it negative


def _histogram(places: Array) -> Array:
    """Return the share of models per bin, [T, 20], for places [N, T] between 0 and 1."""
    models, examples = places.shape
    bins = np.minimum((places * BINS).astype(np.intp), BINS - 1)
    flat = bins + BINS * np.arange(examples)
    counts = np.bincount(flat.ravel(), minlength=BINS * examples).reshape(examples, BINS)
    shares: Array = counts / models
    return shares


@suite("klom", columns=tuple(f"{part}_{name}" for part in ("forget", "retain", "test") for name in ("mean", "p95")))
def klom(evidence: Evidence) -> dict[str, float | None]:
    """Compute mean and 95th percentile over the examples of each part, in nats."""
    unlearned, oracle = evidence.unlearned, evidence.oracle
    labels = evidence.forget_labels
    parts = {
        "forget": (log_odds(unlearned.forget_logits, labels), log_odds(oracle.forget_logits, labels)),
        "retain": (stored_margins(unlearned.probe), stored_margins(oracle.probe)),
        "test": (stored_margins(unlearned.test), stored_margins(oracle.test)),
    }
    values: dict[str, float | None] = {}
    for part, (ours, theirs) in parts.items():
        if ours is None or theirs is None:
            values |= {f"{part}_mean": None, f"{part}_p95": None}
            continue
        each = divergences(ours, theirs)
        values |= {f"{part}_mean": float(each.mean()), f"{part}_p95": float(np.percentile(each, 95))}
    return values
