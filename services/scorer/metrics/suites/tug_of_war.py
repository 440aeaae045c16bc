"""Tug of war (ToW): is the model as good as the oracle on forget, retain and test examples at once?

Source: Zhao, Kurmanji, Barbulescu, Triantafillou and Triantafillou, "What makes unlearning hard and what to do about
it" (arXiv 2406.01257), which gives ToW = (1 - |dA_f|)(1 - |dA_r|)(1 - |dA_t|), where dA is the difference of accuracy
to a model retrained from scratch. Differs from the paper: dA is the difference of the means over all models of each
side, not of one model and one retrained model, so that the noise of single runs does not count as a difference. Forget
accuracy is on the labels used in training.
"""

from services.scorer.metrics.evidence import Evidence
from services.scorer.metrics.registry import suite
from services.scorer.metrics.suites.predictions import forget_accuracies

__all__ = ["tug_of_war"]


@suite("tug-of-war", columns=("tug_of_war", "forget_difference", "retain_difference", "test_difference"))
def tug_of_war(evidence: Evidence) -> dict[str, float | None]:
    """Compute the three signed differences of accuracy and their product, all shares."""
    unlearned, oracle = evidence.unlearned, evidence.oracle
    forget = float(forget_accuracies(unlearned, evidence).mean() - forget_accuracies(oracle, evidence).mean())
    retain = float(unlearned.retain_accuracy.mean() - oracle.retain_accuracy.mean())
    test = float(unlearned.test_accuracy.mean() - oracle.test_accuracy.mean())
    return {
        "tug_of_war": (1 - abs(forget)) * (1 - abs(retain)) * (1 - abs(test)),
        "forget_difference": forget,
        "retain_difference": retain,
        "test_difference": test,
    }
