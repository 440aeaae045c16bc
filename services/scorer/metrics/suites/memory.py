"""Memory and drift: the readings behind `lethe-2`, the joint audit, and how far the weights moved.

`services/scorer/metrics/lethe_2.py` and `joint.py` define the first six. Distances of weights come from the stored
sketches: the mean over runs of the distance to the nearest original, and between runs, each over the same of the
oracle's models.
"""

from services.scorer.metrics.evidence import Evidence
from services.scorer.metrics.joint import audit_jointly
from services.scorer.metrics.lethe_2 import read
from services.scorer.metrics.registry import suite
from services.scorer.metrics.shifts import Shifts, outputs_of, weights_moved, weights_spread
from services.scorer.metrics.suites.twins import with_twin

__all__ = ["memory"]

FEWEST = 2  # models per side
_NAMES = (
    "memory",
    "labels_kept",
    "drift",
    "balance_ratio",
    "joint_forget",
    "joint_test",
    "weights_moved",
    "weights_spread",
)


@suite("memory", columns=tuple(column for name in _NAMES for column in (name, f"{name}_oracle")))
@with_twin
def memory(evidence: Evidence) -> dict[str, float | None]:
    """Read memory, drift and weights of the entry's models."""
    models, oracle, originals = evidence.unlearned, evidence.oracle, evidence.originals
    values: dict[str, float | None] = dict.fromkeys(_NAMES)
    if originals is None or min(len(models), len(oracle)) < FEWEST:
        return values
    values |= {"weights_moved": weights_moved(evidence), "weights_spread": weights_spread(evidence)}
    if models.test is None or not models.test.margins.size:
        return values
    mine, theirs, start = (outputs_of(side, evidence, name="models") for side in (models, oracle, originals))
    found = read(Shifts.between(mine, theirs), Shifts.between(start, theirs))
    return values | {
        "memory": found.memory,
        "labels_kept": found.memories.labels,
        "drift": found.drift,
        "balance_ratio": found.balance.ratio,
        "joint_forget": audit_jointly(mine.forget, theirs.forget).bound if evidence.independent else None,
        "joint_test": audit_jointly(mine.test, theirs.test).bound if evidence.independent else None,
    }
