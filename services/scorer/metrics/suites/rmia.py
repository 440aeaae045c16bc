"""RMIA: is an example more likely under this model than others are, relative to models that saw none of them?

Source: Zarifzadeh, Liu and Shokri, "Low-Cost High-Power Membership Inference Attacks" (arXiv 2312.03262), offline form.
With OUT models that saw neither the forget set nor the test set, which are the oracle's:

    Pr(x) = (1 + a) / 2 * mean over OUT models of p(y | x) + (1 - a) / 2,   a = 0.3
    r(x) = p_model(y | x) / Pr(x);   score(x) = share of population examples z with r(x) / r(z) > 1

Members are the forget examples, non-members every other test example, the population the rest of the test set. Every
model is attacked alone; columns are means over the first 64. A model that never saw the forget set need not have an AUC
of 0.5, because forget examples may be harder or wrongly labelled: compare with the second oracle's.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from services.scorer.metrics.evidence import Evidence, Models
from services.scorer.metrics.registry import suite
from services.scorer.metrics.suites.predictions import Array, label_probabilities, log_odds
from services.scorer.metrics.suites.twins import with_twin

__all__ = ["rmia"]

A = 0.3
MODELS = 64  # attacked
FEWEST = 20  # test examples
RATES = {"tpr_at_1_percent_fpr": 0.01, "tpr_at_01_percent_fpr": 0.001}
_NAMES = ("auc", *RATES)


@suite("rmia", columns=tuple(column for name in _NAMES for column in (name, f"{name}_oracle")))
@with_twin
def rmia(evidence: Evidence) -> dict[str, float | None]:
    """Attack the entry's models, and for comparison those of the second oracle."""
    found = _attack(evidence.unlearned, evidence)
    return dict.fromkeys(_NAMES) if found is None else dict(found)


def _attack(models: Models, evidence: Evidence) -> dict[str, float] | None:
    """Compute the columns of some models, or None if there are too few test examples."""
    test, out = models.test, evidence.oracle.test
    if test is None or out is None or test.margins.shape[1] < FEWEST:
        return None
    members = _ratios(
        log_odds(models.forget_logits[:MODELS], evidence.forget_labels),
        log_odds(evidence.oracle.forget_logits, evidence.forget_labels),
    )
    others = _ratios(test.margins[:MODELS], out.margins)
    non_members, population = others[:, ::2], np.sort(others[:, 1::2], axis=1)
    scores = [
        np.stack([np.searchsorted(known, row) for known, row in zip(population, rows, strict=True)])
        for rows in (members, non_members)
    ]
    pairs = list(zip(*scores, strict=True))
    rates = {name: float(np.mean([_rate(*pair, rate=rate) for pair in pairs])) for name, rate in RATES.items()}
    return {"auc": float(np.mean([_area(*pair) for pair in pairs])), **rates}


def _ratios(margins: NDArray[np.floating[Any]], out: NDArray[np.floating[Any]]) -> Array:
    """Compute r, [N, T], from margins [N, T] and those of the OUT models [M, T]."""
    expected = (1 + A) / 2 * label_probabilities(out).mean(axis=0) + (1 - A) / 2
    ratios: Array = label_probabilities(margins) / expected
    return ratios


def _area(members: Array, others: Array) -> float:
    """Compute the area under the ROC curve; ties count half."""
    ranks = rankdata(np.concatenate([members, others]))[: len(members)]
    return float((ranks.mean() - (len(members) + 1) / 2) / len(others))


def _rate(members: Array, others: Array, *, rate: float) -> float:
    """Return the share of members above a score that at most this share of non-members exceed."""
    threshold = np.sort(others)[len(others) - 1 - int(rate * len(others))]
    return float((members > threshold).mean())
