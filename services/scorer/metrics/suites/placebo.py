"""Columns of the placebo audit: what an entry does to models that never saw the forget set.

The phase must have it switched on.
"""

from services.scorer.metrics.evidence import Evidence
from services.scorer.metrics.placebo import read_placebo
from services.scorer.metrics.registry import suite

__all__ = ["placebo"]


@suite(
    "placebo",
    columns=("follows_forget", "follows_test", "harm", "memory", "memory_low", "memory_high", "placebo_runs"),
    applies=lambda evidence: evidence.placebo is not None,
)
def placebo(evidence: Evidence) -> dict[str, float | None]:
    """Read how runs follow placebos, how far they move them, and what runs from originals remember beyond them."""
    sides, found = evidence.placebo, read_placebo(evidence)
    assert sides is not None
    memory = low = high = None
    if found is not None and found.memory is not None and found.memory_error is not None:
        memory, error = found.memory, found.memory_error
        low, high = memory - error, memory + error
    return {
        "follows_forget": None if found is None else found.following.forget,
        "follows_test": None if found is None else found.following.test,
        "harm": None if found is None else found.harm,
        "memory": memory,
        "memory_low": low,
        "memory_high": high,
        "placebo_runs": float(len(sides.runs)),
    }
