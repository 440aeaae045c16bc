"""The membership inference attack of the 2023 competition's starting kit: can losses tell forget from test examples?

Source: the starting kit's CIFAR-10 notebook (unlearning-challenge/starting-kit). For each model, a logistic regression
on the cross-entropy of forget examples (members; labels used in training) and equally many test examples; its mean
accuracy over 10 stratified shuffle splits of 90% and 10%. 0.5 means that the attack learns nothing.

Differs from the notebook: there an unseeded shuffle draws the forget examples, so that no value can be reproduced, and
equal numbers are only asserted; here a fixed generator draws both kinds, the same examples for every model. Losses are
capped at 100 nats, so that one example of a diverged model cannot set the scale. The notebook attacks one model; here
the value is the mean over the first 64 models of a side. An attack on the losses of a whole population under-reports
the leakage of single examples (arXiv 2403.01218); see `u-lira`.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedShuffleSplit

from services.scorer.metrics.evidence import Evidence, Models
from services.scorer.metrics.registry import suite
from services.scorer.metrics.suites.attacks import LOGISTIC_MODELS, choose, fit_logistic
from services.scorer.metrics.suites.predictions import Array, cross_entropies, log_odds, stored_margins

__all__ = ["starting_kit"]

SPLITS = 10
LARGEST = 100.0  # nats; far beyond any loss that an attack could still tell apart
FEWEST = 6  # examples of each kind; with fewer, the 10% that a split tests cannot contain one of each


@suite("starting-kit", columns=("mia_accuracy", "mia_accuracy_oracle"))
def starting_kit(evidence: Evidence) -> dict[str, float | None]:
    """Compute the mean accuracy of the attack on each side, 0 to 1; None with fewer than 6 examples of a kind."""
    return {
        "mia_accuracy": _accuracy(evidence.unlearned, evidence),
        "mia_accuracy_oracle": _accuracy(evidence.oracle, evidence),
    }


def _accuracy(models: Models, evidence: Evidence) -> float | None:
    margins = stored_margins(models.test)
    labels = evidence.forget_labels
    if margins is None or min(len(labels), margins.shape[1]) < FEWEST:
        return None
    count = min(len(labels), margins.shape[1])
    forget = log_odds(models.forget_logits[:LOGISTIC_MODELS], labels)[:, choose(len(labels), count)]
    test = margins[:LOGISTIC_MODELS, choose(margins.shape[1], count)]
    losses = np.concatenate([cross_entropies(test), cross_entropies(forget)], axis=1)
    return _validate(np.minimum(losses, LARGEST), np.arange(2 * count) >= count)


def _validate(losses: Array, members: NDArray[np.bool_]) -> float:
    """Return the attack's accuracy on left-out examples, averaged over models and splits."""
    splits = StratifiedShuffleSplit(n_splits=SPLITS, random_state=0).split(members, members)
    shares = []
    for train, test in splits:
        slopes, intercepts = fit_logistic(losses[:, train], members[train], np.ones(len(train)))
        guesses = losses[:, test] * slopes[:, None] + intercepts[:, None] > 0
        shares.append((guesses == members[test]).mean())
    return float(np.mean(shares))
