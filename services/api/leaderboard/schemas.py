"""The JSON forms of leaderboards.

Most views of a contest are pages of its leaderboard. What the database holds was checked when it was written, so
entries are made of its columns as they are, and no form checks them again; `EntryOut` declares what they look like.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.core.board.shown import FiguresForm, ScoreForm
from services.core.models import Reference, Unranked

__all__ = ["Entry", "EntryOut", "LeaderboardOut", "add_other", "entry_of", "page_of"]

Entry = dict[str, Any]  # the fields of `EntryOut`


class EntryOut(ScoreForm):
    """One entry: a team with its best score and its rank."""

    entry: str = Field(description="The team.")
    submission_id: UUID
    submission: str = Field(description="The name its team gave it.")
    reference: Reference
    rank: int | None
    unranked_reason: Unranked | None
    rank_best: int | None = Field(description="The best rank that its noise allows; 95% together with `rank_worst`.")
    rank_worst: int | None = Field(description="The worst rank that its noise allows.")
    tie_group: int | None = Field(description="Noise does not let the test separate ranked entries of one group.")
    run_s: float = Field(description="Mean wall-clock time of one run, in seconds.")
    time_ratio: float | None = Field(
        description="Share of the board's fastest full retraining: `cost.ratio` divided by the board's "
        "`retraining_cost`; without a cost, run_s divided by its `retraining_s`."
    )
    time_ratio_low: float | None = Field(description="Lower end of its approximate 95% interval; null without a cost.")
    time_ratio_high: float | None = Field(description="Upper end of that interval.")
    draws: int = Field(description="Different entries of the team that were scored here by then; this is the best.")
    luck: float = Field(description="What the best of so many equally good entries gains by chance, in final score.")
    wall_s: float | None = Field(description="Seconds from the start of the evaluation to its end.")
    other_scores: dict[str, FiguresForm] = Field(
        description="Scores by the metrics that the leaderboard does not rank by."
    )
    submitted_at: datetime


class LeaderboardOut(BaseModel):
    """One page of a leaderboard."""

    competition: str
    phase: str
    metric: str
    max_time_ratio: float
    retraining_s: float | None = Field(
        description="Time of one run of the fastest full retraining on this board, in seconds: run times are compared "
        "with it. Null if there is none."
    )
    retraining_cost: float | None = Field(
        description="What the fastest full retraining on this board takes of the platform's own, at most 1. Null if "
        "the board is empty, or was computed by an earlier version."
    )
    as_of: datetime | None = Field(description="When this leaderboard last changed; null if it is empty.")
    behind: bool = Field(description="Whether it has changed since; a newer state is shown within seconds.")
    total: int = Field(description="Entries on all pages.")
    items: list[EntryOut]
    own: list[EntryOut] = Field(description="Entries of your teams, whatever their rank; only on the first page.")
    next: str | None


def entry_of(place: dict[str, Any]) -> Entry:
    """Turn the columns of a place, as `service` selects them, into the fields of its entry."""
    began, ended = place.pop("started_at"), place.pop("finished_at")
    return place | {
        "wall_s": (ended - began).total_seconds() if began and ended else None,
        "other_scores": {},
    }


def add_other(entry: Entry, figures: dict[str, Any]) -> None:
    """Add the figures of a score by another metric to an entry."""
    entry["other_scores"][figures["metric"]] = figures


def page_of(items: bytes, own: list[Entry], **others: Any) -> bytes:
    """Make the JSON of a page, what `LeaderboardOut` declares, of the JSON array of its items."""
    return to_json({**others, "own": own})[:-1] + b',"items":' + items + b"}"
