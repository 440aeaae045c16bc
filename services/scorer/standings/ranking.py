"""Ranks, rank intervals, tie groups and time ratios of a leaderboard, from its entries in order. Pure."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.core.board.order import (
    BoardPlace,
    Cost,
    Ratio,
    Submitted,
    TimedRun,
    fastest,
    place_of,
    time_ratio,
    unranked_kind,
    unranked_reason,
)
from services.core.board.paired import LEVEL
from services.core.models import Reference, Unranked
from services.scorer.standings.pairs import rank_intervals, tie_groups

__all__ = ["BoardLine", "RankInterval", "Standing", "standings"]

NO_COST = (nan, nan, nan)


@dataclass(frozen=True, slots=True)
class BoardLine:
    """The properties of one entry that ranking uses."""

    reference: Reference
    final_score: float
    gaps: Sequence[float]  # of each split of its models, one half's final score minus the other's
    run_s: float
    submitted: Submitted
    flags: Sequence[str] = ()
    cost: Cost | None = None

    @property
    def place(self) -> BoardPlace:
        """Return the key that a leaderboard is sorted by."""
        return place_of(self.final_score, self.submitted)


class RankInterval(NamedTuple):
    """The ranks that an entry may have, with 95% confidence against all others together."""

    best: int
    worst: int


class Standing(NamedTuple):
    """The rank of an entry, and all that belongs to it."""

    rank: int | None
    unranked: Unranked | None
    rank_interval: RankInterval | None
    tie_group: int | None
    time_ratio: Ratio


def standings(lines: Iterable[BoardLine], max_time_ratio: float, *, level: float = LEVEL) -> list[Standing]:
    """Rank lines that are sorted by `place`; references and slow entries stay between the ranked ones.

    Lines may come as a stream: only their numbers are kept. An entry whose score was split otherwise than most is
    never separated from another. An entry's rank interval holds with probability 1 - `level`.
    """
    kept, references = _Kept(), []
    for line in lines:
        kept.add(line)
        if line.reference is not Reference.NONE:
            references.append(TimedRun(line.reference, line.run_s, line.cost))
    retraining = fastest(references)
    ratios = [time_ratio(one, retraining) for one in kept.times()]
    reasons = [
        unranked_reason(kind, ratio.value, max_time_ratio) for kind, ratio in zip(kept.kinds, ratios, strict=True)
    ]
    ranked = np.array([reason is None for reason in reasons], dtype=np.bool_)
    scores, gaps = np.array(kept.scores, dtype=np.float64)[ranked], kept.gaps()[ranked]
    intervals, groups = rank_intervals(scores, gaps, level), tie_groups(scores, gaps)
    numbers = zip(intervals.best.tolist(), intervals.worst.tolist(), groups.tolist(), strict=True)
    found, rank = [], 0
    for reason, ratio in zip(reasons, ratios, strict=True):
        if reason is None:
            rank += 1
            best, worst, group = next(numbers)
            found.append(Standing(rank, None, RankInterval(best, worst), group, ratio))
        else:
            found.append(Standing(None, reason, None, None, ratio))
    return found


class _Cost(NamedTuple):
    ratio: float
    low: float
    high: float


class _Times(NamedTuple):
    run_s: float
    cost: _Cost | None


class _Kept:
    """The numbers of lines, in order."""

    def __init__(self) -> None:
        self.scores, self.run_s, self.kinds = array("d"), array("d"), list[Unranked | None]()
        self._costs = array("d")
        self._gaps, self._splits = array("d"), array("q")

    def add(self, line: BoardLine) -> None:
        self.scores.append(line.final_score)
        self.run_s.append(line.run_s)
        cost = line.cost
        self._costs.extend(NO_COST if cost is None else (cost.ratio, cost.low, cost.high))
        self.kinds.append(unranked_kind(line.reference, line.flags))
        self._gaps.extend(line.gaps)
        self._splits.append(len(line.gaps))

    def times(self) -> Iterator[_Times]:
        """Yield what time ratios use of each line."""
        costs = (_Cost(*self._costs[start : start + 3]) for start in range(0, len(self._costs), 3))
        for run_s, cost in zip(self.run_s, costs, strict=True):
            yield _Times(run_s, None if isnan(cost.ratio) else cost)

    def gaps(self) -> NDArray[np.float64]:
        """Return the differences of halves [entries, splits]; NaN for an entry that has not as many as most."""
        splits = np.array(self._splits, dtype=np.int64)
        usual = int(np.bincount(splits).argmax()) if len(splits) else 0
        found = np.full((len(splits), usual), np.nan)
        of_most = splits == usual
        found[of_most] = np.array(self._gaps)[np.repeat(of_most, splits)].reshape(of_most.sum(), usual)
        return found
