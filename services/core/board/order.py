"""The order of a leaderboard, and the retraining run behind its time ratios. Pure; every reader of a leaderboard asks
here.

Both depend on the time of submission, never on when a pointer was moved: a rescoring moves all pointers at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement

from services.core.models import LeaderboardEntry, Reference

__all__ = ["IN_ORDER", "Place", "Submitted", "TimedRun", "place_of", "retraining_s", "time_ratio"]

IN_ORDER: tuple[ColumnElement[Any], ...] = (  # of `place_of`, for the database
    LeaderboardEntry.final_score.desc(),
    LeaderboardEntry.submitted_at.asc(),
    LeaderboardEntry.submission_id.asc(),
)


class Submitted(NamedTuple):
    """When something was submitted; the id makes the order total."""

    at: datetime
    submission_id: UUID


class Place(NamedTuple):
    """Sorts like a leaderboard: the better score first, then the earlier submission."""

    negative_score: float
    submitted: Submitted


class Timed(Protocol):
    """The properties that the choice of a retraining run uses."""

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
    """Return the key that the entries of a leaderboard are sorted by."""
    return Place(-final_score, submitted)


def retraining_s(entries: Iterable[Timed]) -> float | None:
    """Return the time of the `retrain` reference that was submitted last; None if there is none that took any time."""
    rows = [entry for entry in entries if entry.reference is Reference.RETRAIN and entry.run_s > 0]
    return max(rows, key=lambda entry: entry.submitted).run_s if rows else None


def time_ratio(run_s: float, retrain_s: float | None) -> float | None:
    """Divide the time of one unlearning run by that of retraining; None if the latter is unknown."""
    return run_s / retrain_s if retrain_s else None
