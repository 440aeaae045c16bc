"""The order of a leaderboard, what has no rank, and the retraining run behind its time ratios. Pure; every reader of a
leaderboard asks here.

The order depends on the time of submission, never on when a pointer was moved: a rescoring moves all pointers at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement

from services.core.models import LeaderboardEntry, Reference, Unranked

__all__ = [
    "IN_ORDER",
    "UNRANKING",
    "Place",
    "Submitted",
    "TimedRun",
    "place_of",
    "retraining_s",
    "time_ratio",
    "unranked_kind",
    "unranked_reason",
]

UNRANKING = {  # flags that take an entry's rank
    "too_few_effective_models": Unranked.TOO_FEW_MODELS,
    "forget_set_pinned": Unranked.FORGET_SET_PINNED,
}

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


@dataclass(frozen=True, slots=True)
class TimedRun:
    """How long one unlearning run of an entry takes."""

    reference: Reference
    run_s: float


def place_of(final_score: float, submitted: Submitted) -> Place:
    """Return the key that the entries of a leaderboard are sorted by."""
    return Place(-final_score, submitted)


def retraining_s(entries: Iterable[Timed]) -> float | None:
    """Return the time of the fastest full retraining among a phase's `retrain` rows, whoever made them.

    Unlearning must be cheaper than the cheapest way known to retrain; otherwise the rule would measure overhead.
    Rows of fewer epochs do not count. None if there is no row that took any time.
    """
    times = [entry.run_s for entry in entries if entry.reference is Reference.RETRAIN and entry.run_s > 0]
    return min(times, default=None)


def time_ratio(run_s: float, retrain_s: float | None) -> float | None:
    """Divide the time of one unlearning run by that of retraining; None if the latter is unknown."""
    return run_s / retrain_s if retrain_s else None


def unranked_kind(reference: Reference, flags: Sequence[str]) -> Unranked | None:
    """Tell why an entry has no rank, whatever its time; None if its time decides."""
    if reference is not Reference.NONE:
        return Unranked.REFERENCE
    return next((reason for flag, reason in UNRANKING.items() if flag in flags), None)


def unranked_reason(kind: Unranked | None, ratio: float | None, max_time_ratio: float) -> Unranked | None:
    """Tell why an entry of that kind and time ratio has no rank; None if it has one."""
    too_slow = ratio is not None and ratio > max_time_ratio
    return Unranked.TOO_SLOW if too_slow and kind is not Unranked.REFERENCE else kind
