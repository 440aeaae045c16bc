"""The layout of the 2023 Kaggle competition: file names, columns, and functions that write the tables.

original_model.pth
retain.csv, forget.csv, validation.csv       image_id, age_group, age, person_id
age_class_weights.json                       training images of each age group: counts, though the file says weights
images/<person>/<number>.png                 the image of image_id <person>-<number>
"""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "COLUMNS",
    "GROUPS",
    "ORIGINAL",
    "SIZE",
    "TABLES",
    "Row",
    "image_path",
    "table_path",
    "write_counts",
    "write_table",
]

TABLES = ("retain", "forget", "validation")
ORIGINAL = "original_model.pth"
COUNTS = "age_class_weights.json"
SIZE = 32  # pixels of an image's side
GROUPS = 10  # of ages


class Row(NamedTuple):
    """A line of a table."""

    image_id: str
    age_group: int
    age: int
    person_id: int

    @classmethod
    def of(cls, person: int, number: int, *, group: int, age: int) -> "Row":
        """Describe image `number` of a person."""
        return cls(f"{person}-{number}", group, age, person)


COLUMNS = Row._fields


def table_path(root: Path, name: str) -> Path:
    """Return the path of a table."""
    return root / f"{name}.csv"


def image_path(person: int | str, number: int | str) -> str:
    """Return the path of an image, relative to the root."""
    return f"images/{person}/{number}.png"


def write_table(root: Path, name: str, rows: Iterable[Row]) -> None:
    """Write a table with its heading."""
    with table_path(root, name).open("w", encoding="ascii", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(rows)


def write_counts(root: Path, counts: Sequence[int]) -> None:
    """Write how many training images each age group has, in the order of groups."""
    text = json.dumps({str(group): count for group, count in enumerate(counts)}) + "\n"
    (root / COUNTS).write_text(text, encoding="ascii", newline="\n")
