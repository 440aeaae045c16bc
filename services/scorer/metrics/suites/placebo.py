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
    memory, error = (None, None) if found is None else (found.memory, found.memory_error)
    known = memory is not None and error is not None
    return {
        "follows_forget": None if found is None else found.following.forget,
        "follows_test": None if found is None else found.following.test,
        "harm": None if found is None else found.harm,
        "memory": memory,
        "memory_low": memory - error if known else None,
        "memory_high": memory + error if known else None,
        "placebo_runs": float(len(sides.runs)),
    }
