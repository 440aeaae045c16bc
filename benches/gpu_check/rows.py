"""The rows of the table, and how they are written and read."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Row", "Table", "as_markdown", "as_text"]

MARKS = {True: "passed", False: "FAILED", None: "told"}


@dataclass(frozen=True, slots=True)
class Row:
    """One finding. `passed` is None for figures that only inform."""

    part: str
    what: str
    found: str
    beside: str = ""  # what it is compared with
    passed: bool | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A file with a row a line, so that a part that is ended leaves the rows it has found."""

    file: Path
    part: str

    def add(self, what: str, found: str, beside: str = "", *, passed: bool | None = None) -> None:
        """Append a row."""
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(Row(self.part, what, found, beside, passed))) + "\n")

    def rows(self) -> list[Row]:
        """Read the rows."""
        if not self.file.exists():
            return []
        return [Row(**json.loads(line)) for line in self.file.read_text(encoding="utf-8").splitlines()]


def as_text(rows: Sequence[Row]) -> str:
    """Write rows in columns."""
    cells = [(row.part, row.what, row.found, row.beside, MARKS[row.passed]) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def as_markdown(rows: Sequence[Row], told: str) -> str:
    """Write rows as a table in Markdown below a line that tells where and when they were found."""
    head = ["| part | what | found | beside | |", "|---|---|---|---|---|"]
    lines = [f"| {row.part} | {row.what} | {row.found} | {row.beside} | {MARKS[row.passed]} |" for row in rows]
    return "\n".join([told, "", *head, *lines, ""])
