"""The same columns for the second oracle: what retraining itself gets, which no entry need beat."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps

from services.scorer.metrics.evidence import Evidence, Models

__all__ = ["with_twin"]

KEPT = 4  # pairs of oracles, whose models a process keeps anyway
ORACLE = "_oracle"

Values = Mapping[str, float | None]
Compute = Callable[[Evidence], Values]


def with_twin(compute: Compute) -> Compute:
    """Compute each column for the entry, and as `..._oracle` for the second oracle in its place; None without one.

    The second depends on the benchmark alone, so a process computes it once.
    """
    kept: OrderedDict[tuple[Models, Models], Values] = OrderedDict()

    @wraps(compute)
    def both(evidence: Evidence) -> dict[str, float | None]:
        mine, second = compute(evidence), evidence.second_oracle
        if second is None:
            return {**mine, **{name + ORACLE: None for name in mine}}
        key = (second, evidence.oracle)
        if key not in kept:
            kept[key] = compute(replace(evidence, unlearned=second, starts=None, independent=True))
            while len(kept) > KEPT:
                kept.popitem(last=False)
        return {**mine, **{name + ORACLE: value for name, value in kept[key].items()}}

    return both
