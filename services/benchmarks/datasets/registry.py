"""The readers of all datasets, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.benchmarks.datasets.casia_surf import casia_surf, list_casia_surf
from services.benchmarks.datasets.cifar import cifar10, cifar100
from services.benchmarks.datasets.dataset import Dataset, Progress
from services.benchmarks.datasets.digits import digits, digits_pairs
from services.benchmarks.datasets.kaggle import kaggle_faces
from services.benchmarks.datasets.mnist import mnist
from services.core.errors import BadInput, NotFound

__all__ = ["DATASETS", "divide", "read_dataset"]


class UnknownDataset(NotFound):
    code = "unknown_dataset"


class NoDirectory(BadInput):
    code = "no_data_directory"


@dataclass(frozen=True, slots=True)
class Reader:
    """The function that reads a dataset, and whether it needs a directory."""

    read: Callable[[Path, Path, Progress], Dataset]  # directory, cache, progress
    needs_directory: bool = True


DATASETS = {
    "digits": Reader(lambda _directory, _cache, _progress: digits(), needs_directory=False),
    "digits-pairs": Reader(lambda _directory, _cache, _progress: digits_pairs(), needs_directory=False),
    "mnist": Reader(lambda directory, _cache, _progress: mnist(directory)),
    "cifar10": Reader(lambda directory, _cache, _progress: cifar10(directory)),
    "cifar100": Reader(lambda directory, _cache, _progress: cifar100(directory)),
    "casia-surf": Reader(lambda directory, cache, progress: casia_surf(directory, cache=cache, progress=progress)),
    "kaggle-faces": Reader(lambda directory, cache, progress: kaggle_faces(directory, cache=cache, progress=progress)),
}


def read_dataset(name: str, directory: Path | None, *, cache: Path, progress: Progress = lambda *_: None) -> Dataset:
    """Read a dataset from the directory with its files. Raises UnknownDataset, NoDirectory or BadDataset."""
    if name not in DATASETS:
        raise UnknownDataset(f"There is no dataset {name}. Choose one of: {', '.join(sorted(DATASETS))}.")
    reader = DATASETS[name]
    if reader.needs_directory and directory is None:
        raise NoDirectory(f"The dataset {name} needs its files. Give their directory with --data.")
    return reader.read(directory or Path(), cache, progress)


def divide(name: str, directory: Path) -> dict[str, list[str]]:
    """List the paths of retain, forget, validation and test images, in order. Raises BadInput or BadDataset.

    Only CASIA-SURF has a published forget set; for other datasets, scenarios draw one.
    """
    if name != "casia-surf":
        raise BadInput(f"The dataset {name} has no published forget set. Choose casia-surf.")
    listing = list_casia_surf(directory)
    parts = listing.parts
    assert parts.forget is not None
    assert parts.validation is not None
    retain = np.setdiff1d(parts.train, parts.forget)
    return {
        part: [listing.paths[position] for position in positions]
        for part, positions in (
            ("retain", retain),
            ("forget", parts.forget),
            ("validation", parts.validation),
            ("test", parts.test),
        )
    }
