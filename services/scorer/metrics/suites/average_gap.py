"""The average gap to retraining: accuracies on forget, retain and test examples and an attack, against the oracle.

Sources: Fan et al., SalUn (arXiv 2310.12508); Jia et al., l1-sparse (arXiv 2304.04934). UA (unlearning accuracy) is 1 -
forget accuracy, on the labels used in training; RA and TA are retain and test accuracy; MIA is the share of forget
examples that an attack on the label's probability takes for non-members. The average gap is the mean of the four
absolute differences to the oracle, in percentage points; the papers' fifth number, run time, is in the suite `ssd`.

The attack is a support vector classifier (RBF kernel, C = 3, gamma = 1 / number of features = 1), trained on equally
many probed retain examples (members) and test examples, at most 500 of each, drawn by a fixed generator as are at most
500 forget examples. It looks at the first 32 models of a side: each costs a fit.

Differs from the public code: there the attack trains on the first retain examples of an unshuffled loader and on all
test examples; and it compares one model with one retrained model, while this compares means. Only its attack on
confidences is computed, because its modified entropy uses the wrong logarithm and overwrites whole columns.
"""

import numpy as np
from sklearn.svm import SVC

from services.scorer.metrics.evidence import Evidence, Models
from services.scorer.metrics.registry import suite
from services.scorer.metrics.suites.attacks import choose
from services.scorer.metrics.suites.predictions import (
    forget_accuracies,
    label_probabilities,
    log_odds,
    stored_margins,
)

__all__ = ["average_gap"]

MODELS = 32
MOST = 500  # examples of each kind
FEWEST = 2

_PARTS = ("unlearning_accuracy", "remaining_accuracy", "testing_accuracy", "mia_efficacy")


@suite("average-gap", columns=("average_gap", *(part + side for part in _PARTS for side in ("", "_oracle"))))
def average_gap(evidence: Evidence) -> dict[str, float | None]:
    """Compute UA, RA, TA and MIA of both sides in percent, and the average gap; None if a part is missing."""
    ours, theirs = (_measure(side, evidence) for side in (evidence.unlearned, evidence.oracle))
    gaps = [abs(a - b) for a, b in zip(ours.values(), theirs.values(), strict=True) if a is not None and b is not None]
    complete = len(gaps) == len(_PARTS)
    return {
        "average_gap": float(np.mean(gaps)) if complete else None,
        **ours,
        **{f"{name}_oracle": value for name, value in theirs.items()},
    }


def _measure(models: Models, evidence: Evidence) -> dict[str, float | None]:
    efficacy = _efficacy(models, evidence)
    return {
        "unlearning_accuracy": 100 * (1 - float(forget_accuracies(models, evidence).mean())),
        "remaining_accuracy": 100 * float(models.retain_accuracy.mean()),
        "testing_accuracy": 100 * float(models.test_accuracy.mean()),
        "mia_efficacy": None if efficacy is None else 100 * efficacy,
    }


def _efficacy(models: Models, evidence: Evidence) -> float | None:
    """Return the mean share of forget examples that the attack takes for non-members, 0 to 1."""
    retain, test = stored_margins(models.probe), stored_margins(models.test)
    if retain is None or test is None:
        return None
    count = min(retain.shape[1], test.shape[1], MOST)
    if count < FEWEST:
        return None
    members = label_probabilities(retain[:MODELS, choose(retain.shape[1], count)])
    others = label_probabilities(test[:MODELS, choose(test.shape[1], count)])
    some = choose(len(evidence.forget_labels), MOST)
    forget = label_probabilities(log_odds(models.forget_logits[:MODELS, some], evidence.forget_labels[some]))
    kinds = np.repeat([1, 0], count)
    shares = []
    for inside, outside, target in zip(members, others, forget, strict=True):
        attack = SVC(C=3, kernel="rbf", gamma="auto").fit(np.concatenate([inside, outside])[:, None], kinds)
        shares.append(1 - attack.predict(target[:, None]).mean())
    return float(np.mean(shares))
