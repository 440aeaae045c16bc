"""The order of a board, and the retraining run that its time ratios rest on. Pure; every reader of a board asks here.

Both go by when something was submitted, never by when a pointer was moved: a rescoring moves all pointers at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from services.core.models import Reference

__all__ = ["Place", "Submitted", "TimedRun", "place_of", "retraining_s", "time_ratio"]


class Submitted(NamedTuple):
    """When something was submitted; the id makes the order total."""

    at: datetime
    submission_id: UUID


class Place(NamedTuple):
    """Sorts as a board does: the better score first, then the earlier submission."""

    negative_score: float
    submitted: Submitted


class Timed(Protocol):
    """What the choice of a retraining run looks at."""

    @property
    def reference(self) -> Reference: ...
    @property
    def run_s(self) -> float: ...
    @property
    def submitted(self) -> Submitted: ...


@dataclass(frozen=True, slots=True)
class TimedRun:
    """How long one unlearning run of an entry takes."""

    reference: Reference
    run_s: float
    submitted: Submitted


def place_of(final_score: float, submitted: Submitted) -> Place:
    """Return the key that entries of a board are sorted by."""
    return Place(-final_score, submitted)


def retraining_s(entries: Iterable[Timed]) -> float | None:
    """Take the time of the `retrain` reference that was submitted last; None without one that took any time."""
    rows = [entry for entry in entries if entry.reference is Reference.RETRAIN and entry.run_s > 0]
    return max(rows, key=lambda entry: entry.submitted).run_s if rows else None


def time_ratio(run_s: float, retrain_s: float | None) -> float | None:
    """Divide the time of one unlearning run by that of retraining; None if nothing is known of the latter."""
    return run_s / retrain_s if retrain_s else None
