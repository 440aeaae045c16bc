"""Which reference rows a benchmark can have. Pure.

Doing nothing, and retraining for a share of the benchmark's epochs: these tell what a score costs, and what unlearning
must be better than.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.core.models import Reference

__all__ = ["PATIENCE", "PlannedReference", "beside", "plan", "why_none"]

SHARES = {  # of the benchmark's epochs, the largest first
    Reference.RETRAIN: 1.0,
    Reference.RETRAIN_50: 0.5,
    Reference.RETRAIN_20: 0.2,
    Reference.RETRAIN_10: 0.1,
    Reference.RETRAIN_5: 0.05,
}
PATIENCE = 20.0  # times as long as an entry may a reference row run, because retraining takes longer than unlearning
TRAINED_EVERY, TRAINED_AT_LEAST = 128, 2  # runs of an entry, and runs of the trainer beside an entry


@dataclass(frozen=True, slots=True)
class PlannedReference:
    """A reference row: its kind, its name on the board, and for how many epochs it retrains (0: it does nothing)."""

    reference: Reference
    name: str
    epochs: int


def why_none(manifest: Mapping[str, Any]) -> str | None:
    """Say in words why a benchmark has no reference rows of the platform; None if it has."""
    if manifest.get("learning"):
        return (
            "This benchmark is certified: its models come from noisy descent, each from an original of its own. "
            "Submit baselines/certified/retrain.py with --reference retrain instead."
        )
    if "epochs" not in (manifest.get("recipe") or {}):
        return "This benchmark does not say for how many epochs its models were trained. Submit reference rows by hand."
    return None


def plan(manifest: Mapping[str, Any]) -> list[PlannedReference]:
    """List the reference rows of a benchmark; none if it can have none.

    If a benchmark has so few epochs that two shares come to the same number, the larger one has the row.
    """
    if why_none(manifest) is not None:
        return []
    epochs = int(manifest["recipe"]["epochs"])
    found, done = [PlannedReference(Reference.IDENTITY, "identity", 0)], set[int]()
    for reference, share in SHARES.items():
        count = max(1, round(share * epochs))
        if count not in done:
            done.add(count)
            name = "retraining" if share == 1 else f"retraining, {share:.0%} of the epochs"
            found.append(PlannedReference(reference, name, count))
    return found


def beside(seeds: int) -> frozenset[int]:
    """Choose the seeds of an evaluation of N beside which the platform's trainer is timed, evenly spread.

    So its shards share them, whichever workers run these: for 512 seeds four, for 64 two.
    """
    count = min(seeds, max(TRAINED_AT_LEAST, -(-seeds // TRAINED_EVERY)))
    return frozenset(place * seeds // count for place in range(count))
