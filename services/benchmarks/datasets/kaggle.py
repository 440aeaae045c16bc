"""Faces in the layout of the 2023 Kaggle competition, which `services.benchmarks.kaggle` describes.

The layout has no table for the hidden test set, so every second row of the validation table serves as test set.
"""

import csv
import re
from pathlib import Path

import numpy as np

from services.benchmarks.datasets.dataset import BadDataset, Dataset, Parts, Progress
from services.benchmarks.datasets.images import read_images
from services.benchmarks.kaggle import COLUMNS, GROUPS, SIZE, TABLES, image_path, table_path

__all__ = ["kaggle_faces"]

SOURCE = "The data of 2023 were never published; make a stand-in with `lethe data synthetic-faces --layout kaggle`."
_IMAGE_ID = re.compile(r"[A-Za-z0-9_]+-[A-Za-z0-9_]+")

Row = tuple[str, int, str]  # path, age group, person


def kaggle_faces(directory: Path, *, cache: Path | None = None, progress: Progress = lambda *_: None) -> Dataset:
    """Read images [n, 3, 32, 32] uint8 in the order of the tables. Raises BadDataset naming the file."""
    tables = {name: _read_table(table_path(directory, name)) for name in TABLES}
    rows = [row for name in TABLES for row in tables[name]]
    paths = tuple(path for path, _, _ in rows)
    people = {person: number for number, person in enumerate(sorted({person for _, _, person in rows}))}
    retain, forget = len(tables["retain"]), len(tables["forget"])
    held_out = np.arange(retain + forget, len(rows))
    return Dataset(
        name="Faces in the layout of the 2023 Kaggle competition",
        licence="set by the owner of the files; the data of 2023 must not be redistributed",
        images=read_images(directory, paths, size=SIZE, source=SOURCE, cache=cache, progress=progress),
        labels=np.array([group for _, group, _ in rows], dtype=np.int64),
        classes=GROUPS,
        subjects=np.array([people[person] for _, _, person in rows], dtype=np.int64),
        paths=paths,
        parts=Parts(
            train=np.arange(retain + forget),
            validation=held_out[::2],
            test=held_out[1::2],
            forget=np.arange(retain, retain + forget),
        ),
    )


def _read_table(path: Path) -> list[Row]:
    """Read one table. Raises BadDataset naming the line."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            table = csv.DictReader(file)
            if not set(table.fieldnames or ()) >= set(COLUMNS):
                raise BadDataset(path, f"lacks one of the columns {', '.join(sorted(COLUMNS))}", SOURCE)
            rows = [_row(path, table.line_num, row) for row in table]
    except FileNotFoundError as error:
        raise BadDataset(path, "is missing", SOURCE) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadDataset(path, f"cannot be read ({error})", SOURCE) from error
    if not rows:
        raise BadDataset(path, "lists no images", SOURCE)
    return rows


def _row(path: Path, line: int, row: dict[str, str | None]) -> Row:
    name, group, person = row["image_id"] or "", row["age_group"] or "", row["person_id"] or ""
    if not _IMAGE_ID.fullmatch(name):
        raise BadDataset(path, f"has no image_id such as 12-3 in line {line}", SOURCE)
    if not group.isdecimal() or int(group) >= GROUPS or not person:
        raise BadDataset(path, f"has no age_group from 0 to {GROUPS - 1} or no person_id in line {line}", SOURCE)
    first, second = name.split("-")
    return image_path(first, second), int(group), person
