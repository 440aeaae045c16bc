"""U-LiRA: per forget example, a likelihood ratio test between unlearned and retrained models.

Sources: Hayes et al., "Inexact Unlearning Needs More Careful Evaluations" (arXiv 2403.01218); Kurmanji et al., SCRUB
(arXiv 2302.09880); Carlini et al. (arXiv 2112.03570) for the Gaussian test on logit-scaled confidences. A Gaussian per
example is fitted to the even-numbered models of each side; the ratio of the two densities then classifies the
odd-numbered ones.

Standard deviations (n - 1 in the denominator) below 0.001 are raised to 0.001, which is far below the spread of any two
trainings and far above the rounding of float32, so that constant confidences give large but finite ratios. A ratio of
exactly 1 counts half. Columns are None with fewer than 4 models on a side.

Differs from the papers: all unlearned models start from one original model, so this tests what *this* benchmark's
unlearning leaves behind. Differs from a public re-implementation: Gaussians are fitted to confidences, never to whether
a prediction was right, and never tested on models that they were fitted to.
"""

import numpy as np
from scipy.stats import rankdata

from services.scorer.metrics.evidence import Evidence
from services.scorer.metrics.registry import suite
from services.scorer.metrics.suites.predictions import Array

__all__ = ["FEWEST", "attack_accuracies", "u_lira"]

FEWEST = 4  # models per side: two to fit, two to test
SD_FLOOR = 1e-3
_NAMES = ("accuracy", "accuracy_p95", "auc", "tpr_at_1_percent_fpr")


@suite("u-lira", columns=_NAMES)
def u_lira(evidence: Evidence) -> dict[str, float | None]:
    """Compute an attacker's accuracy if unlearned and retrained models are equally likely, 0 to 1."""
    sides = (evidence.unlearned, evidence.oracle)
    if min(len(side) for side in sides) < FEWEST:
        return dict.fromkeys(_NAMES)
    unlearned, oracle = (side.confidences(evidence.forget_labels) for side in sides)
    ours, theirs = _ratios(unlearned, oracle)
    accuracies = _accuracies(ours, theirs)
    return {
        "accuracy": float(accuracies.mean()),
        "accuracy_p95": float(np.percentile(accuracies, 95)),
        "auc": float(_areas(ours, theirs).mean()),
        "tpr_at_1_percent_fpr": _rate_at(ours.ravel(), theirs.ravel()),
    }


def attack_accuracies(unlearned: Array, oracle: Array) -> Array:
    """Compute the attack's accuracy on each example, [S], from confidences or margins [N, S] and [M, S]."""
    return _accuracies(*_ratios(unlearned, oracle))


def _ratios(unlearned: Array, oracle: Array) -> tuple[Array, Array]:
    """Fit to the even-numbered models; return the log ratios of the others, of either side."""
    gaussians = _fit(unlearned[::2]), _fit(oracle[::2])
    ours, theirs = (_log_ratio(side[1::2], *gaussians) for side in (unlearned, oracle))
    return ours, theirs


def _accuracies(ours: Array, theirs: Array) -> Array:
    accuracies: Array = (_share_above_0(ours) + _share_above_0(-theirs)) / 2
    return accuracies


def _fit(values: Array) -> tuple[Array, Array]:
    return values.mean(axis=0), np.maximum(values.std(axis=0, ddof=1), SD_FLOOR)


def _log_ratio(values: Array, unlearned: tuple[Array, Array], oracle: tuple[Array, Array]) -> Array:
    """Compute log density under the unlearned Gaussian minus that under the oracle's, [N, S] nats."""
    scores = [((values - mean) / sd) ** 2 / 2 + np.log(sd) for mean, sd in (unlearned, oracle)]
    return scores[1] - scores[0]


def _share_above_0(ratios: Array) -> Array:
    return ((ratios > 0) + 0.5 * (ratios == 0)).mean(axis=0)  # type: ignore[no-any-return]


def _areas(ours: Array, theirs: Array) -> Array:
    """Compute the area under the ROC curve per example, [S]: the Mann-Whitney statistic, ties count half."""
    ranks = rankdata(np.concatenate([ours, theirs]), axis=0)[: len(ours)]
    return (ranks.mean(axis=0) - (len(ours) + 1) / 2) / len(theirs)  # type: ignore[no-any-return]


def _rate_at(ours: Array, theirs: Array) -> float:
    """Return the share of `ours` above a threshold that at most 1% of `theirs` exceed."""
    allowed = len(theirs) // 100
    threshold = np.sort(theirs)[len(theirs) - 1 - allowed]
    return float((ours > threshold).mean())
