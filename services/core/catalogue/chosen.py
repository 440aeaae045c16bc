"""Columns of suites by name, and those that a phase chose for its leaderboard: `suite.column`, such as `ssd.zrf`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from services.core.catalogue.entries import ColumnInfo
from services.core.catalogue.suites import SUITES
from services.core.errors import BadInput

__all__ = ["ChosenColumn", "UnknownColumn", "chosen_columns", "find_column", "require_column"]


class UnknownColumn(BadInput):
    code = "unknown_column"


@dataclass(frozen=True, slots=True)
class ChosenColumn:
    """A column that a phase chose. A leaderboard shows it even if the catalogue no longer knows it."""

    suite: str
    name: str

    @property
    def key(self) -> str:
        """The name that the phase gave it."""
        return f"{self.suite}.{self.name}"

    @property
    def title(self) -> str:
        """What stands above its values."""
        found = find_column(self.suite, self.name)
        return found.title if found else self.key

    @property
    def meaning(self) -> str:
        """What it measures, with the title of its suite; empty if the catalogue no longer knows it."""
        found = find_column(self.suite, self.name)
        return f"{SUITES[self.suite].title}: {found.meaning}, in {found.unit}" if found else ""

    def value(self, suites: Mapping[str, Mapping[str, float | None]]) -> float | None:
        """Return its value among the suites of a score; None if the score lacks it."""
        return suites.get(self.suite, {}).get(self.name)


def chosen_columns(names: Iterable[str]) -> list[ChosenColumn]:
    """Read the columns of a phase, in the order in which its leaderboard shows them."""
    return [ChosenColumn(*one.partition(".")[::2]) for one in names]


def find_column(suite: str, name: str) -> ColumnInfo | None:
    """Return the column of a stored value, or None if the catalogue no longer knows it."""
    columns = SUITES[suite].columns if suite in SUITES else ()
    return next((column for column in columns if column.name == name), None)


def require_column(named: str) -> ColumnInfo:
    """Return the column of a name such as `ssd.zrf`. Raises UnknownColumn, which suggests what may be meant."""
    (chosen,) = chosen_columns([named])
    found = find_column(chosen.suite, chosen.name)
    if found is None:
        known = [f"{one.name}.{column.name}" for one in SUITES.values() for column in one.columns]
        close = get_close_matches(named, known, n=1)
        remedy = f"Did you mean {close[0]!r}?" if close else "`GET /api/metrics` lists suites and their columns."
        raise UnknownColumn(f"There is no column {named!r}: write a suite, a dot and a column. {remedy}")
    return found
