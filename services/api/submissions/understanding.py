"""A score in sentences: how far it is from a perfect retraining, where the rest is lost, and what noise says."""

from typing import Self

from pydantic import BaseModel, Field

from services.core.board.noise import noise_in_words
from services.core.board.perfect import Perfect, PerfectBasis
from services.core.models import Score, StandingRow, Unranked

__all__ = ["PlaceOut", "StandingOut", "loss_in_words", "place_in_words", "remarks_on", "sentence_on"]

NEARLY = 0.95  # a share above which nothing is called lost
UNRANKED = {
    Unranked.REFERENCE: "a reference row, never ranked",
    Unranked.TOO_SLOW: "not ranked: a run takes too large a share of the retraining time",
    Unranked.TOO_FEW_MODELS: "not ranked: too few of its models differ",
    Unranked.FORGET_SET_PINNED: "not ranked: its outputs for forget examples are pinned",
}


class PlaceOut(BaseModel):
    """A place on the newest computed leaderboard."""

    words: str = Field(description="The place in words, with where noise could put it.")
    follows: bool = Field(description="Whether the leaderboard has moved and is being computed.")
    total: int = Field(description="Entries on the leaderboard.")
    rank: int | None
    unranked_reason: Unranked | None
    rank_best: int | None
    rank_worst: int | None
    draws: int = Field(description="Different entries of the team that were scored here; this is the best.")
    luck: float = Field(description="What the best of so many equally good entries gains by chance.")

    @classmethod
    def of(cls, row: StandingRow | None, *, total: int, follows: bool) -> Self:
        """Make the JSON form of a place, without its words; of an entry that is not there, too."""
        return cls(
            words="",
            follows=follows,
            total=total,
            rank=row and row.rank,
            unranked_reason=row and row.unranked,
            rank_best=row and row.rank_best,
            rank_worst=row and row.rank_worst,
            draws=row.draws if row else 1,
            luck=row.luck if row else 0.0,
        )


class StandingOut(BaseModel):
    """What a score means: how much of what a perfect retraining earns, where the rest is lost, and the place."""

    metric: str = Field(description="The metric that the phase ranks by.")
    final_score: float
    perfect_score: float | None = Field(description="What a perfect retraining earns in this phase; null if unknown.")
    perfect_basis: PerfectBasis | None = Field(
        description="metric: the metric is made so. benchmark: measured with as many runs. reference: the phase's "
        "retraining reference. other_runs: measured with another number of runs, so it holds only nearly."
    )
    place: PlaceOut
    sentence: str
    remarks: list[str] = Field(description="Where it loses, how far the ceiling is, what noise and many tries say.")


def sentence_on(score: Score, perfect: Perfect | None, place: PlaceOut) -> str:
    """Sum up a score: "41% of what a perfect retraining earns here; rank 3, could be 2 to 5"."""
    if perfect is None or perfect.score <= 0:
        earned = f"A score of {score.final_score:.4f}"
    else:
        about = "" if perfect.exact else "about "
        earned = f"{about}{_percent(score.final_score / perfect.score)} of what a perfect retraining earns here"
    return f"{earned[0].upper()}{earned[1:]}; {place.words}"


def place_in_words(place: PlaceOut) -> str:
    """Say where an entry stands, and where noise could put it."""
    if place.unranked_reason is not None:
        return UNRANKED[place.unranked_reason]
    if place.rank is None:
        return "no rank yet" if place.follows else "not on the leaderboard, so without a rank"
    if place.rank_best is None or place.rank_worst is None or place.rank_best == place.rank_worst:
        return f"rank {place.rank}"
    return f"rank {place.rank}, could be {place.rank_best} to {place.rank_worst}"


def remarks_on(score: Score, perfect: Perfect | None, place: PlaceOut) -> list[str]:
    """Say where a score loses, how far it is from the ceiling, and what noise and many tries make of it."""
    remarks = [] if perfect is None or perfect.score <= 0 else [loss_in_words(score, perfect), _ceiling(score, perfect)]
    remarks.append(
        f"Noise: run again, the same code would score from {score.ci_low:.4f} to {score.ci_high:.4f} in 95% of cases."
    )
    if score.variance is not None:
        remarks += noise_in_words(score.variance, models=score.seeds)
    if place.draws > 1:
        remarks.append(
            f"It is the best of {place.draws} different entries of the team. The best of {place.draws} equally good "
            f"ones is {place.luck:.4f} above their mean by chance alone, so expect about "
            f"{max(0.0, score.final_score - place.luck):.4f} if it runs again."
        )
    return remarks


def loss_in_words(score: Score, perfect: Perfect) -> str:
    """Say whether most is lost in forgetting or in utility."""
    forgetting, utility = score.forgetting_quality / perfect.score, score.utility
    shares = f"forgetting quality is {_percent(forgetting)} of retraining's, utility {_percent(utility)}"
    if min(forgetting, utility) >= NEARLY:
        return f"Hardly anything is lost: {shares}."
    return f"Most is lost in {'forgetting quality' if forgetting < utility else 'utility'}: {shares}."


def _ceiling(score: Score, perfect: Perfect) -> str:
    about = "" if perfect.exact else "about "
    distance = perfect.score - score.final_score
    if distance <= 0:
        return f"Ceiling: a perfect retraining earns {about}{perfect.score:.4f} here, no more than this entry."
    return f"Ceiling: a perfect retraining earns {about}{perfect.score:.4f} here, {distance:.4f} more than this entry."


def _percent(share: float) -> str:
    return "less than 1%" if 0 < share < 0.005 else f"{100 * share:.0f}%"
