"""MNIST, from its four IDX files, compressed or not."""

import gzip
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.benchmarks.datasets.dataset import BadDataset, Dataset, Parts

__all__ = ["mnist"]

SOURCE = (
    "MNIST's files are train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and "
    "t10k-labels-idx1-ubyte.gz, published at yann.lecun.com/exdb/mnist and mirrored with torchvision's datasets."
)
UNSIGNED_BYTES = 0x08  # the only type of number in MNIST's files
LARGEST = 200_000_000  # bytes; the published files unpack to at most 47 million


def mnist(directory: Path) -> Dataset:
    """Read images [n, 1, 28, 28] uint8 and labels, the training set first. Raises BadDataset, which names the file."""
    parts = [
        (_read(directory, f"{part}-images-idx3", 3), _read(directory, f"{part}-labels-idx1", 1))
        for part in ("train", "t10k")
    ]
    for part, (images, labels) in zip(("train", "t10k"), parts, strict=True):
        if len(images) != len(labels):
            problem = f"contains {len(labels)} labels, but there are {len(images)} images"
            raise BadDataset(_find(directory, f"{part}-labels-idx1"), problem, SOURCE)
        if images.shape[1:] != (28, 28):
            raise BadDataset(_find(directory, f"{part}-images-idx3"), f"contains images of {images.shape[1:]}", SOURCE)
        if labels.max(initial=0) > 9:
            raise BadDataset(_find(directory, f"{part}-labels-idx1"), "contains labels above 9", SOURCE)
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
    )


def _find(directory: Path, stem: str) -> Path:
    """Find a file under any of its usual names: compressed or not, with a dot or a hyphen before idx."""
    for name in (stem, stem.replace("-idx", ".idx")):
        for suffix in ("-ubyte.gz", "-ubyte"):
            if (path := directory / f"{name}{suffix}").is_file():
                return path
    raise BadDataset(directory / f"{stem}-ubyte.gz", "is missing", SOURCE)


def _read(directory: Path, stem: str, axes: int) -> NDArray[np.uint8]:
    """Read one IDX file: two zero bytes, the type of number, the number of axes, the length of each axis, the data."""
    path = _find(directory, stem)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadDataset(path, f"cannot be unpacked ({error})", SOURCE) from error
    head = 4 + 4 * axes
    if len(data) > LARGEST or data[:4] != bytes([0, 0, UNSIGNED_BYTES, axes]) or len(data) < head:
        raise BadDataset(path, f"is not an IDX file of bytes with {axes} axes", SOURCE)
    shape: Any = tuple(int(size) for size in np.frombuffer(data, ">u4", axes, 4))
    if len(data) - head != int(np.prod(shape)):
        raise BadDataset(path, f"should contain {shape} bytes, but contains {len(data) - head}", SOURCE)
    return np.frombuffer(data, np.uint8, offset=head).reshape(shape)
