"""The form of a dataset in memory, and the error for invalid files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.core.errors import BadInput

__all__ = ["BadDataset", "Dataset", "Parts", "Progress", "Split", "split"]

Progress = Callable[[int, int], None]  # images read, images in all


class BadDataset(BadInput):
    """A file of a dataset is missing or invalid; the message says where to get it."""

    code = "bad_dataset"

    def __init__(self, path: Path, problem: str, source: str) -> None:
        super().__init__(f"{path} {problem}. {source}")
        self.path = path
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Parts:
    """Positions of the parts of a dataset, as published or as in the 2023 evaluation; None if there is no such part."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    validation: NDArray[np.int64] | None = None
    forget: NDArray[np.int64] | None = None  # within train


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Images [n, ...] and labels [n]. Fields that a dataset lacks are None or empty."""

    name: str
    licence: str
    images: NDArray[Any]  # uint8 from 0 to 255 as decoded, or float32 as scaled by the loader
    labels: NDArray[np.int64]
    classes: int
    class_names: tuple[str, ...] = ()
    superclasses: NDArray[np.int64] | None = None  # [n], the coarse labels
    subjects: NDArray[np.int64] | None = None  # [n], the person whose data an example is
    paths: tuple[str, ...] = ()  # [n], relative to the dataset's directory
    parts: Parts | None = None
    notes: tuple[str, ...] = ()  # sentences about what the loader passed over

    def name_of(self, position: int) -> str:
        """Name one example: by its path, if it has one, or by its position."""
        return self.paths[position] if self.paths else f"number {position}"

    def only(self, classes: Sequence[int]) -> "Dataset":
        """Keep only the examples of some classes, which become 0, 1, ... in the given order."""
        kept = np.flatnonzero(np.isin(self.labels, classes))
        place = {label: position for position, label in enumerate(classes)}

        def take(values: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if values is None else values[kept]

        def renumbered(positions: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
            return None if positions is None else np.flatnonzero(np.isin(kept, positions))

        parts = self.parts
        if parts is not None:
            train, test = (np.flatnonzero(np.isin(kept, one)) for one in (parts.train, parts.test))
            parts = Parts(train, test, renumbered(parts.validation), renumbered(parts.forget))
        names = [self.class_names[label] if self.class_names else str(label) for label in classes]
        return replace(
            self,
            name=f"{self.name}: only {' and '.join(names)}",
            images=self.images[kept],
            labels=np.array([place[int(label)] for label in self.labels[kept]], dtype=np.int64),
            classes=len(classes),
            class_names=tuple(names),
            superclasses=take(self.superclasses),
            subjects=take(self.subjects),
            paths=tuple(self.paths[position] for position in kept) if self.paths else (),
            parts=parts,
        )


@dataclass(frozen=True, slots=True)
class Split:
    """Disjoint indexes into a dataset."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def split(count: int, *, train: int, validation: int, generator: np.random.Generator) -> Split:
    """Split a random permutation of `count` examples into train and validation sets, and the rest as test set."""
    order = generator.permutation(count).astype(np.int64)
    return Split(order[:train], order[train : train + validation], order[train + validation :])
