"""The layouts of a data set on disk: that of CASIA-SURF's archive, and that of the 2023 Kaggle competition.

A layout writes one subject at a time (in any process), and at the end the tables of all subjects.
"""

from pathlib import Path
from random import Random
from typing import ClassVar, Protocol

from PIL import Image

from services.benchmarks.kaggle import TABLES, Row, image_path, write_counts, write_table
from services.benchmarks.synthetic_faces.drawing import small
from services.benchmarks.synthetic_faces.population import AGE_GROUPS, InventedPerson, age_groups
from services.core.errors import BadInput

__all__ = ["LAYOUTS", "CasiaSurf", "Kaggle", "Layout", "TooFewImages"]

SUBJECTS_PER_FOLDER = 100
JPEG_QUALITY = 92
SPLIT_SEED = 43  # the shuffle of 2023
FORGET_SUBJECTS = 15
FORGET_PERCENT = 15  # of the subjects, if there are fewer than 100


class TooFewImages(BadInput):
    code = "too_few_images"


class Layout(Protocol):
    """A layout of a data set on disk."""

    def check(self, subjects: int, images: int) -> None:
        """Raise TooFewImages unless this many subjects and images of each make a data set."""
        ...

    def write_image(self, root: Path, subject: InventedPerson, number: int, image: Image.Image) -> None:
        """Write image `number` (1, 2, …) of a subject."""
        ...

    def finish(self, root: Path, subjects: list[InventedPerson], images: int) -> None:
        """Write the tables; call this after the last image."""
        ...


class CasiaSurf:
    """The file `Age_Gender.txt`, and JPEGs of 96x96 in a folder per subject."""

    name: ClassVar[str] = "casia-surf"

    def check(self, subjects: int, images: int) -> None:
        """Accept any number."""

    def write_image(self, root: Path, subject: InventedPerson, number: int, image: Image.Image) -> None:
        """Write a JPEG into the subject's folder; 100 subjects share a folder above it."""
        group = (subject.number - 1) // SUBJECTS_PER_FOLDER + 1
        person = root / "WBackground" / f"synthetic-{group:03}" / _person_name(subject)
        path = person / "real.rssdk" / "color" / f"{number:04}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, quality=JPEG_QUALITY)

    def finish(self, root: Path, subjects: list[InventedPerson], images: int) -> None:
        """Write a line `<id> <age> <gender>` for each subject."""
        lines = [f"{_person_name(subject)} {subject.age} {subject.gender}\n" for subject in subjects]
        (root / "Age_Gender.txt").write_text("".join(lines), encoding="ascii", newline="\n")


class Kaggle:
    """Three tables, class counts, and PNGs of 32x32; the split is the one of 2023."""

    name: ClassVar[str] = "kaggle"

    def check(self, subjects: int, images: int) -> None:
        """Raise TooFewImages if the retain, forget or validation table would be empty."""
        train, validation = _split(subjects * images)
        forgotten = {index // images < _forget_subjects(subjects) for index in train}
        if forgotten != {True, False} or not validation:
            raise TooFewImages(
                f"{subjects * images} images of {subjects} subjects cannot be split into retain, forget and validation "
                "sets. Draw more of them: 20 subjects with 10 images each are enough."
            )

    def write_image(self, root: Path, subject: InventedPerson, number: int, image: Image.Image) -> None:
        """Write a PNG of 32x32 as `images/<person>/<image>.png`."""
        path = root / image_path(subject.number, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        small(image).save(path)

    def finish(self, root: Path, subjects: list[InventedPerson], images: int) -> None:
        """Write the tables of the split, and how many training images each age group has."""
        groups = dict(zip(subjects, age_groups([subject.age for subject in subjects]), strict=True))
        rows = [(subject, number) for subject in subjects for number in range(1, images + 1)]
        train, validation = ([rows[index] for index in part] for part in _split(len(rows)))
        last = _forget_subjects(len(subjects))
        retain = [row for row in train if row[0].number > last]
        forget = [row for row in train if row[0].number <= last]
        for name, part in zip(TABLES, (retain, forget, validation), strict=True):
            write_table(root, name, [_row(subject, number, groups) for subject, number in part])
        drawn = [groups[subject] for subject, _ in train]
        write_counts(root, [drawn.count(group) for group in range(AGE_GROUPS)])


LAYOUTS: dict[str, Layout] = {CasiaSurf.name: CasiaSurf(), Kaggle.name: Kaggle()}


def _person_name(subject: InventedPerson) -> str:
    return f"syn{subject.number:05}"


def _split(count: int) -> tuple[list[int], list[int]]:
    """Shuffle, and take 80% for training and 10% for validation; the last 10% were the hidden test set."""
    order = list(range(count))
    Random(SPLIT_SEED).shuffle(order)  # noqa: S311 - a published shuffle, no secret
    train, validation = count * 8 // 10, count // 10
    return order[:train], order[train : train + validation]


def _forget_subjects(subjects: int) -> int:
    return min(FORGET_SUBJECTS, max(1, subjects * FORGET_PERCENT // 100))


def _row(subject: InventedPerson, number: int, groups: dict[InventedPerson, int]) -> Row:
    return Row.of(subject.number, number, group=groups[subject], age=subject.age)
