"""The fields of the catalogue's entries. Stored scores use these names: once published, a name keeps its meaning."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["AlarmInfo", "Better", "ColumnInfo", "FlagInfo", "MetricInfo", "SuiteInfo"]


class Better(StrEnum):
    """Which values of a column are good."""

    HIGHER = "higher"
    LOWER = "lower"
    ORACLE = "oracle"  # the closer to the oracle's own value, the better
    NEITHER = "neither"  # only for comparison


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """A metric: it makes the score that a leaderboard ranks by. Its name carries its version."""

    name: str
    title: str
    meaning: str
    source: str
    has_ceiling: bool  # whether forgetting quality is relative to that of a second oracle
    perfect: float | None = None  # the score of a perfect retraining; None if it differs from benchmark to benchmark


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """One number of a suite."""

    name: str
    title: str
    unit: str
    better: Better
    meaning: str
    oracle_column: str | None = None  # the column of the same suite that holds the oracle's own value


@dataclass(frozen=True, slots=True)
class SuiteInfo:
    """Secondary columns that a paper or a starting kit reports together: shown beside the score, never ranked by."""

    name: str
    title: str
    source: str
    columns: tuple[ColumnInfo, ...]


@dataclass(frozen=True, slots=True)
class FlagInfo:
    """A mark on a score that changes how to read or rank it."""

    name: str
    meaning: str
    consequence: str


@dataclass(frozen=True, slots=True)
class AlarmInfo:
    """A kind of observation that honest unlearning rarely produces; only organisers see it, and it changes no score."""

    kind: str
    title: str
    meaning: str
