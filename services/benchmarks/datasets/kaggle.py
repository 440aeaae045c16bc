"""Faces in the layout of the 2023 Kaggle competition, which `services.benchmarks.kaggle` describes.

The layout has no table for the hidden test set, so every second row of the validation table serves as test set.
"""

import csv
import io
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from services.benchmarks.datasets.dataset import BadDataset, Dataset, Parts, Progress
from services.benchmarks.datasets.files import read_text
from services.benchmarks.datasets.images import IMAGE_SUFFIXES, read_images
from services.benchmarks.kaggle import COLUMNS, GROUPS, SIZE, TABLES, image_path, table_path

__all__ = ["kaggle_faces"]

SOURCE = "The data of 2023 were never published; make a stand-in with `lethe data synthetic-faces --layout kaggle`."
_IMAGE_ID = re.compile(r"[A-Za-z0-9_]+-[A-Za-z0-9_]+")

DELIMITERS = ",;\t"  # Excel writes the second in much of Europe


class ImageRow(NamedTuple):
    """What a line says of an image."""

    line: int
    image_id: str
    group: int
    person: str

    @property
    def path(self) -> str:
        """The image's file, relative to the directory."""
        first, second = self.image_id.split("-")
        return image_path(first, second)


def kaggle_faces(directory: Path, *, cache: Path | None = None, progress: Progress = lambda *_: None) -> Dataset:
    """Read images [n, 3, 32, 32] uint8 in the order of the tables. Raises BadDataset naming the file."""
    tables = {name: _read_table(table_path(directory, name)) for name in TABLES}
    _refuse_repetitions(directory, tables)
    rows = [row for name in TABLES for row in tables[name]]
    paths = tuple(row.path for row in rows)
    people = {person: number for number, person in enumerate(sorted({row.person for row in rows}))}
    retain, forget = len(tables["retain"]), len(tables["forget"])
    held_out = np.arange(retain + forget, len(rows))
    return Dataset(
        name="Faces in the layout of the 2023 Kaggle competition",
        licence="set by the owner of the files; the data of 2023 must not be redistributed",
        images=read_images(directory, paths, size=SIZE, source=SOURCE, cache=cache, progress=progress),
        labels=np.array([row.group for row in rows], dtype=np.int64),
        classes=GROUPS,
        subjects=np.array([people[row.person] for row in rows], dtype=np.int64),
        paths=paths,
        parts=Parts(
            train=np.arange(retain + forget),
            validation=held_out[::2],
            test=held_out[1::2],
            forget=np.arange(retain, retain + forget),
        ),
        notes=_passed_over(directory, set(paths)),
    )


def _read_table(path: Path) -> list[ImageRow]:
    """Read one table. Raises BadDataset naming the line."""
    text = read_text(path, SOURCE)
    heading = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=heading.count)
    try:
        table = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        found = [name.strip() for name in table.fieldnames or ()]
        if not set(found) >= set(COLUMNS):
            problem = f"lacks one of the columns {', '.join(sorted(COLUMNS))}; it has {', '.join(found) or 'none'}"
            raise BadDataset(path, problem, SOURCE)
        table.fieldnames = found
        rows = [_row(path, table.line_num, row) for row in table if any(row.get(name) for name in COLUMNS)]
    except csv.Error as error:
        raise BadDataset(path, f"cannot be read ({error})", SOURCE) from error
    if not rows:
        raise BadDataset(path, "lists no images", SOURCE)
    return rows


def _row(path: Path, line: int, row: dict[str, str | None]) -> ImageRow:
    name, group, person = ((row[column] or "").strip() for column in ("image_id", "age_group", "person_id"))
    if not _IMAGE_ID.fullmatch(name):
        raise BadDataset(path, f"has no image_id such as 12-3 in line {line}", SOURCE)
    if not group.isdecimal() or int(group) >= GROUPS or not person:
        raise BadDataset(path, f"has no age_group from 0 to {GROUPS - 1} or no person_id in line {line}", SOURCE)
    return ImageRow(line, name, int(group), person)


def _refuse_repetitions(directory: Path, tables: dict[str, list[ImageRow]]) -> None:
    """Raise BadDataset if two lines name one image: it would be in two sets, or twice in one."""
    seen: dict[str, str] = {}
    for name in TABLES:
        path = table_path(directory, name)
        for row in tables[name]:
            if row.image_id in seen:
                problem = f"names image {row.image_id} in line {row.line}, but {seen[row.image_id]} has it already"
                raise BadDataset(path, f"{problem}. Delete one of the two lines", SOURCE)
            seen[row.image_id] = f"{path.name} line {row.line}"


def _passed_over(directory: Path, named: set[str]) -> tuple[str, ...]:
    """Say how many images no table names."""
    root = directory / "images"
    found = (path for path in root.glob("*/*") if path.suffix.lower() in IMAGE_SUFFIXES)
    others = sorted(one for path in found if (one := str(path.relative_to(directory))) not in named)
    visible = [one for one in others if not Path(one).name.startswith(".")]
    return (f"Images that no table names: {len(visible)}, such as {visible[0]}.",) if visible else ()
