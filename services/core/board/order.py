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
    "BoardPlace",
    "Cost",
    "Ratio",
    "Retraining",
    "Submitted",
    "Timed",
    "TimedRun",
    "fastest",
    "place_of",
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


class BoardPlace(NamedTuple):
    """Sorts like a leaderboard: the better score first, then the earlier submission."""

    negative_score: float
    submitted: Submitted


class Cost(Protocol):
    """What a run costs in runs of the platform's trainer, measured between the entry's own, with a 95% interval."""

    @property
    def ratio(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


class Timed(Protocol):
    """The properties of an entry that time ratios use."""

    @property
    def run_s(self) -> float: ...
    @property
    def cost(self) -> Cost | None: ...


@dataclass(frozen=True, slots=True)
class TimedRun:
    """How long one unlearning run of an entry takes."""

    reference: Reference
    run_s: float
    cost: Cost | None = None


class Retraining(NamedTuple):
    """The fastest full retraining of a board: by the clock, and in runs of the platform's trainer."""

    run_s: float | None
    cost: float


class Ratio(NamedTuple):
    """A run's share of retraining; with a 95% interval if retraining was timed between the entry's runs."""

    value: float | None
    low: float | None = None
    high: float | None = None


def place_of(final_score: float, submitted: Submitted) -> BoardPlace:
    """Return the key that the entries of a leaderboard are sorted by."""
    return BoardPlace(-final_score, submitted)


def fastest(entries: Iterable[TimedRun]) -> Retraining:
    """Find the fastest full retraining among a phase's `retrain` rows, whoever made them.

    Unlearning must be cheaper than the cheapest way known to retrain; otherwise the rule would measure overhead.
    Rows of fewer epochs do not count. The trainer that entries are timed beside is a full retraining itself, so the
    cost is never above 1. There is no time if no row took any.
    """
    full = [entry for entry in entries if entry.reference is Reference.RETRAIN]
    times = [entry.run_s for entry in full if entry.run_s > 0]
    costs = [entry.cost.ratio for entry in full if entry.cost is not None and entry.cost.ratio > 0]
    return Retraining(min(times, default=None), min(1.0, *costs) if costs else 1.0)


def time_ratio(timed: Timed, retraining: Retraining) -> Ratio:
    """Divide the cost of an entry by that of retraining.

    An entry beside which no trainer was timed is compared by the mean time of its runs, whenever these were. The ratio
    is None if that of retraining is unknown.
    """
    cost, of = timed.cost, retraining.cost
    if cost is not None:
        return Ratio(cost.ratio / of, cost.low / of, cost.high / of)
    return Ratio(timed.run_s / retraining.run_s if retraining.run_s else None)


def unranked_kind(reference: Reference, flags: Sequence[str]) -> Unranked | None:
    """Tell why an entry has no rank, whatever its time; None if its time decides."""
    if reference is not Reference.NONE:
        return Unranked.REFERENCE
    return next((reason for flag, reason in UNRANKING.items() if flag in flags), None)


def unranked_reason(kind: Unranked | None, ratio: float | None, max_time_ratio: float) -> Unranked | None:
    """Tell why an entry of that kind and time ratio has no rank; None if it has one."""
    too_slow = ratio is not None and ratio > max_time_ratio
    return Unranked.TOO_SLOW if too_slow and kind is not Unranked.REFERENCE else kind
