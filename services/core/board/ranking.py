"""Ranks, rank intervals, tie groups and time ratios of a leaderboard, from its entries in order. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.core.board.order import Place, Submitted, place_of, retraining_s, time_ratio
from services.core.board.paired import HalvedScore, RankInterval, rank_intervals, tie_groups
from services.core.models import Reference

__all__ = ["TOO_FEW_EFFECTIVE_MODELS", "BoardLine", "Standing", "Unranked", "standings"]

TOO_FEW_EFFECTIVE_MODELS = "too_few_effective_models"  # the scorer's flag


class Unranked(StrEnum):
    """Why an entry has no rank."""

    REFERENCE = "reference"  # an organiser's row, shown for comparison
    TOO_SLOW = "too_slow"  # unlearning must be cheaper than retraining
    TOO_FEW_MODELS = "too_few_models"  # that differ by more than near-duplicates do


@dataclass(frozen=True, slots=True)
class BoardLine:
    """The properties of one entry that ranking uses."""

    reference: Reference
    measured: HalvedScore
    run_s: float
    submitted: Submitted
    flags: Sequence[str] = ()

    @property
    def place(self) -> Place:
        """Return the key that a leaderboard is sorted by."""
        return place_of(self.measured.final_score, self.submitted)


@dataclass(frozen=True, slots=True)
class Standing:
    """The rank of an entry, and all that belongs to it."""

    rank: int | None
    unranked: Unranked | None
    rank_interval: RankInterval | None
    tie_group: int | None
    time_ratio: float | None


def standings(lines: Sequence[BoardLine], max_time_ratio: float) -> list[Standing]:
    """Rank lines that are sorted by `place`; references and slow entries stay between the ranked ones."""
    retrain_s = retraining_s(lines)
    ratios = [time_ratio(line.run_s, retrain_s) for line in lines]
    reasons = [_reason(line, ratio, max_time_ratio) for line, ratio in zip(lines, ratios, strict=True)]
    ranked = [position for position, reason in enumerate(reasons) if reason is None]
    ranks = {position: rank for rank, position in enumerate(ranked, start=1)}
    measured = [lines[position].measured for position in ranked]
    groups = dict(zip(ranked, tie_groups(measured), strict=True))
    intervals = dict(zip(ranked, rank_intervals(measured), strict=True))
    return [
        Standing(
            ranks.get(position), reasons[position], intervals.get(position), groups.get(position), ratios[position]
        )
        for position in range(len(lines))
    ]


def _reason(line: BoardLine, ratio: float | None, max_time_ratio: float) -> Unranked | None:
    if line.reference is not Reference.NONE:
        return Unranked.REFERENCE
    if ratio is not None and ratio > max_time_ratio:
        return Unranked.TOO_SLOW
    if TOO_FEW_EFFECTIVE_MODELS in line.flags:
        return Unranked.TOO_FEW_MODELS
    return None
