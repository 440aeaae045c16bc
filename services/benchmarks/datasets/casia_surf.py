"""CASIA-SURF CeFA, split exactly as in the 2023 evaluation.

DIR/Age_Gender.txt                                   one line per subject: id, age, gender
DIR/WBackground/<folder>/<id>/real.rssdk/color/*.jpg   its images

Labels are ten equally wide bins of age. All images, in order of their paths, are shuffled with seed 43 and split into
80% train, 10% validation and 10% test; the forget set is all images of the training set's first 15 subjects.

The shuffle is over images, not subjects, so nearly every subject of the forget set also has images in validation and
test sets. A retrained model has seen none of their training images, but the test set shows faces that the original saw.
Source: google-deepmind/unlearning_evaluation, commit ffae0ff.
"""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.benchmarks.datasets.dataset import BadDataset, Dataset, Parts, Progress
from services.benchmarks.datasets.files import read_text
from services.benchmarks.datasets.images import IMAGE_SUFFIXES, read_images

__all__ = ["Listing", "casia_surf", "list_casia_surf"]

SOURCE = (
    "Researchers get CASIA-SURF CeFA on request (sites.google.com/view/face-anti-spoofing-challenge). Unpack "
    "CASIA_SURF_live.zip beside Age_Gender.txt, or create a stand-in with `lethe data synthetic-faces`."
)
BINS = 10
SIZE = 32
SHUFFLE_SEED = 43
FORGET_SUBJECTS = 15


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The dataset without pixels, in shuffled order."""

    paths: tuple[str, ...]  # relative to the dataset's directory
    subjects: NDArray[np.int64]  # position of each image's subject in the sorted list of ids
    ages: NDArray[np.int64]  # years
    labels: NDArray[np.int64]  # bins of age
    parts: Parts
    notes: tuple[str, ...]  # about what was passed over


def casia_surf(directory: Path, *, cache: Path | None = None, progress: Progress = lambda *_: None) -> Dataset:
    """Read images [n, 3, 32, 32] uint8. Raises BadDataset, which names the missing or damaged file."""
    listing = list_casia_surf(directory)
    return Dataset(
        name="CASIA-SURF CeFA",
        licence="by agreement with its authors; not to be passed on",
        images=read_images(directory, listing.paths, size=SIZE, source=SOURCE, cache=cache, progress=progress),
        labels=listing.labels,
        classes=BINS,
        subjects=listing.subjects,
        paths=listing.paths,
        parts=listing.parts,
        notes=listing.notes,
    )


def list_casia_surf(directory: Path) -> Listing:
    """List images with their labels and parts without opening them."""
    people = _read_people(directory / "Age_Gender.txt")
    ids = sorted(people)
    ages = np.array([people[one] for one in ids], dtype=np.int64)
    bins = np.digitize(ages, np.linspace(ages.min(), ages.max() + 1, BINS + 1)) - 1
    found = _find_images(directory, set(ids))
    notes = _passed_over(directory, set(ids), {subject for _, subject in found})
    random.Random(SHUFFLE_SEED).shuffle(found)  # noqa: S311 - the published order, no secret
    position = {name: index for index, name in enumerate(ids)}
    subjects = np.array([position[subject] for _, subject in found], dtype=np.int64)
    return Listing(
        paths=tuple(path for path, _ in found),
        subjects=subjects,
        ages=ages[subjects],
        labels=bins[subjects].astype(np.int64),
        parts=_divide(subjects, directory),
        notes=notes,
    )


def _read_people(path: Path) -> dict[str, int]:
    """Read each subject's age. Raises BadDataset, which names the line."""
    lines = read_text(path, SOURCE).splitlines()
    people: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 3 or not fields[1].isdecimal():
            raise BadDataset(path, f"does not have id, age and gender in line {number}", SOURCE)
        if fields[0] in people:
            raise BadDataset(path, f"names subject {fields[0]} again in line {number}", SOURCE)
        people[fields[0]] = int(fields[1])
    if not people:
        raise BadDataset(path, "names no subject", SOURCE)
    return people


def _find_images(directory: Path, known: set[str]) -> list[tuple[str, str]]:
    """Find (relative path, subject) of every image, in order of the paths as strings."""
    root = directory / "WBackground"
    if not root.is_dir():
        raise BadDataset(root, "is missing", SOURCE)
    found = []
    for folder in sorted(_visible(root, "*/*"), key=str):
        images = sorted(_visible(folder, "real.rssdk/color/*.jpg"), key=str)
        if images and folder.name not in known:
            raise BadDataset(folder, "belongs to a subject that Age_Gender.txt does not name", SOURCE)
        found += [(str(image.relative_to(directory)), folder.name) for image in images]
    if not found:
        raise BadDataset(root, "contains no <folder>/<id>/real.rssdk/color/*.jpg", SOURCE)
    return found


def _passed_over(directory: Path, ids: set[str], seen: set[str]) -> tuple[str, ...]:
    """Say what the published loader, which reads only *.jpg in folders of subjects, leaves out: how much, and why."""
    folders = {str(one.relative_to(directory)): one.name for one in _visible(directory / "WBackground", "*/*")}
    others = [
        str(path.relative_to(directory))
        for path in _visible(directory / "WBackground", "*/*/real.rssdk/color/*")
        if path.suffix != ".jpg" and path.suffix.lower() in IMAGE_SUFFIXES
    ]
    unnamed = [path for path, name in folders.items() if name not in ids and (directory / path).is_dir()]
    named = set(folders.values())
    reasons = {
        "Images whose names do not end in .jpg": others,
        "Subjects of Age_Gender.txt without a folder": ids - named,
        "Subjects of Age_Gender.txt without an image that ends in .jpg": (ids & named) - seen,
        "Folders of no subject in Age_Gender.txt": unnamed,
    }
    return tuple(
        f"{reason}: {len(which)}, such as {min(which)}. They are passed over."
        for reason, which in reasons.items()
        if which
    )


def _visible(root: Path, pattern: str) -> list[Path]:
    """Find files as a shell does, without names that begin with a dot."""
    return [
        path for path in root.glob(pattern) if not any(part.startswith(".") for part in path.relative_to(root).parts)
    ]


def _divide(subjects: NDArray[np.int64], directory: Path) -> Parts:
    count = len(subjects)
    train, validation = int(0.8 * count), int(0.9 * count)  # rounded as published
    seen = np.unique(subjects[:train])
    if len(seen) <= FORGET_SUBJECTS:
        problem = f"has {len(seen)} subjects in its training set, but forgetting {FORGET_SUBJECTS} needs more than that"
        raise BadDataset(directory / "WBackground", problem, SOURCE)
    return Parts(
        train=np.arange(train),
        validation=np.arange(train, validation),
        test=np.arange(validation, count),
        forget=np.flatnonzero(np.isin(subjects[:train], seen[:FORGET_SUBJECTS])),
    )
