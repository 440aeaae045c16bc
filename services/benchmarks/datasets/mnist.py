"""MNIST, from its four IDX files, compressed or not, in the folders in which torchvision and Kaggle put them."""

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.benchmarks.datasets.dataset import BadDataset, Dataset, Parts
from services.benchmarks.datasets.files import first_good

__all__ = ["mnist"]

SOURCE = (
    "MNIST's files are train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and "
    "t10k-labels-idx1-ubyte.gz, published at yann.lecun.com/exdb/mnist and mirrored with torchvision's datasets."
)
UNSIGNED_BYTES = 0x08  # the only type of number in MNIST's files
LARGEST = 200_000_000  # bytes; the published files unpack to at most 47 million
FOLDERS = (".", "raw", "MNIST/raw")  # the latter two as torchvision has them
GZIP_MARK = b"\x1f\x8b"


def mnist(directory: Path) -> Dataset:
    """Read images [n, 1, 28, 28] uint8 and labels, the training set first. Raises BadDataset, which names the file."""
    parts, notes = [], []
    for part in ("train", "t10k"):
        images_from, images, passed = _read(directory, f"{part}-images-idx3", 3)
        labels_from, labels, passed_labels = _read(directory, f"{part}-labels-idx1", 1)
        if len(images) != len(labels):
            problem = f"contains {len(labels)} labels, but there are {len(images)} images"
            raise BadDataset(labels_from, problem, SOURCE)
        if images.shape[1:] != (28, 28):
            raise BadDataset(images_from, f"contains images of {images.shape[1:]}", SOURCE)
        if labels.max(initial=0) > 9:
            raise BadDataset(labels_from, "contains labels above 9", SOURCE)
        parts.append((images, labels))
        notes += [*passed, *passed_labels]
    every = np.concatenate([labels for _, labels in parts]).astype(np.int64)
    train = len(parts[0][1])
    return Dataset(
        name="MNIST database of handwritten digits",
        licence="CC-BY-SA-3.0",
        images=np.concatenate([images for images, _ in parts])[:, None],
        labels=every,
        classes=10,
        class_names=tuple("0123456789"),
        parts=Parts(train=np.arange(train), test=np.arange(train, len(every))),
        notes=tuple(notes),
    )


def _read(directory: Path, stem: str, axes: int) -> tuple[Path, NDArray[np.uint8], tuple[str, ...]]:
    """Read the first good file of those that could be meant; also return its path, and notes about broken ones."""
    expected = directory / f"{stem}-ubyte.gz"
    if not (places := list(_places(directory, stem))):
        raise BadDataset(expected, f"is missing, also in {' and '.join(FOLDERS[1:])}", SOURCE)
    (path, array), notes = first_good(places, lambda place: (place, _read_idx(place, axes)))
    return path, array, notes


def _places(directory: Path, stem: str) -> Iterator[Path]:
    """Find a file under its usual names: compressed or not, with a dot before idx, in a folder of its own name."""
    names = [f"{one}{suffix}" for one in (stem, stem.replace("-idx", ".idx")) for suffix in ("-ubyte.gz", "-ubyte")]
    for folder in FOLDERS:
        root = directory / folder
        for path in [root / name for name in names] + [root / own / name for own in names for name in names]:
            if path.is_file():
                yield path


def _read_idx(path: Path, axes: int) -> NDArray[np.uint8]:
    """Read one IDX file: two zero bytes, the type of number, the number of axes, the length of each axis, the data.

    Whether it is compressed is seen from its bytes, because browsers unpack files and keep their names.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if data.startswith(GZIP_MARK):
            with gzip.open(io.BytesIO(data)) as unpacked:
                data = unpacked.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadDataset(path, f"cannot be unpacked ({error})", SOURCE) from error
    head = 4 + 4 * axes
    if len(data) > LARGEST or data[:4] != bytes([0, 0, UNSIGNED_BYTES, axes]) or len(data) < head:
        raise BadDataset(path, f"is not an IDX file of bytes with {axes} axes", SOURCE)
    shape: Any = tuple(int(size) for size in np.frombuffer(data, ">u4", axes, 4))
    if len(data) - head != int(np.prod(shape)):
        raise BadDataset(path, f"should contain {shape} bytes, but contains {len(data) - head}", SOURCE)
    return np.frombuffer(data, np.uint8, offset=head).reshape(shape)
