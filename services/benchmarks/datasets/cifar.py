"""CIFAR-10 and CIFAR-100, from their "python version" archives or from the unpacked directories."""

import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.benchmarks.datasets.dataset import BadDataset, Dataset, Parts
from services.benchmarks.datasets.files import first_good
from services.benchmarks.datasets.pickled import read_pickle

__all__ = ["cifar10", "cifar100"]

SOURCE = (
    "Download cifar-10-python.tar.gz or cifar-100-python.tar.gz from www.cs.toronto.edu/~kriz/cifar.html (python "
    "versions), and give the directory that contains it, packed or unpacked."
)
LARGEST = 400_000_000  # bytes of one member; the published ones have at most 155 million
ARCHIVES = (".tar.gz", ".tar", ".tgz")  # browsers unpack the first and leave the second
LICENCE = "none stated by its authors; free for research"


def cifar10(directory: Path) -> Dataset:
    """Read images [n, 3, 32, 32] uint8 and labels of 10 classes, the training set first."""

    def read(place: Path) -> Dataset:
        files = _Files(place, folder)
        train = [files.batch(f"data_batch_{number}", (b"labels",)) for number in range(1, 6)]
        test = files.batch("test_batch", (b"labels",))
        return _dataset("CIFAR-10", [*train, test], [b"labels"], files.names("batches.meta", b"label_names", 10))

    folder = "cifar-10-batches-py"
    found, notes = first_good(_places(directory, "cifar-10-python", folder, mark="test_batch"), read)
    return replace(found, notes=notes)


def cifar100(directory: Path) -> Dataset:
    """Read images [n, 3, 32, 32] uint8, labels of 100 classes, and labels of their 20 superclasses."""

    def read(place: Path) -> Dataset:
        files = _Files(place, folder)
        batches = [files.batch(name, (b"fine_labels", b"coarse_labels")) for name in ("train", "test")]
        names = files.names("meta", b"fine_label_names", 100)
        files.names("meta", b"coarse_label_names", 20)
        return _dataset("CIFAR-100", batches, [b"fine_labels", b"coarse_labels"], names)

    folder = "cifar-100-python"
    found, notes = first_good(_places(directory, "cifar-100-python", folder, mark="meta"), read)
    return replace(found, notes=notes)


def _places(directory: Path, archive: str, folder: str, *, mark: str) -> list[Path]:
    """List the archives and folders there are; `mark` is a file that tells the folder if it has another name."""
    archives = [directory / f"{archive}{suffix}" for suffix in ARCHIVES]
    nested = (directory / archive / folder, directory / folder / folder)  # as unpacking tools leave them
    folders = [one for one in (directory / folder, *nested, directory) if one.name == folder or (one / mark).is_file()]
    found = [one for one in archives if one.is_file()] + [one for one in folders if one.is_dir()]
    if not found:
        raise BadDataset(archives[0], "is missing", SOURCE)
    return found


Batch = dict[bytes, NDArray[Any]]


class _Files:
    """The members of an archive, or of an unpacked directory."""

    def __init__(self, place: Path, folder: str) -> None:
        self.place = place
        self.folder = folder

    def batch(self, name: str, labels: Sequence[bytes]) -> Batch:
        """Read one batch: `data` [n, 3072] uint8, and lists of n labels."""
        path, found = self._read(name)
        data = found.get(b"data")
        if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape[1:] != (3072,):
            raise BadDataset(path, "does not contain images of 3 x 32 x 32 bytes", SOURCE)
        batch: Batch = {b"data": data}
        for key in labels:
            values = np.asarray(found.get(key, ()))
            if values.shape != (len(data),) or values.dtype.kind not in "iu" or values.min(initial=0) < 0:
                raise BadDataset(path, f"contains {len(data)} images, but not as many {key.decode()}", SOURCE)
            batch[key] = values.astype(np.int64)
        return batch

    def names(self, name: str, key: bytes, expected: int) -> tuple[str, ...]:
        """Read the names of the classes."""
        path, found = self._read(name)
        names = found.get(key)
        if not isinstance(names, list) or len(names) != expected:
            raise BadDataset(path, f"does not name {expected} classes as {key.decode()}", SOURCE)
        return tuple(one.decode() if isinstance(one, bytes) else str(one) for one in names)

    def _read(self, name: str) -> tuple[Path, dict[bytes, Any]]:
        if self.place.is_dir():
            path = self.place / name
            if not path.is_file():
                raise BadDataset(path, "is missing", SOURCE)
            if path.stat().st_size > LARGEST:
                raise BadDataset(path, "is larger than any part of CIFAR", SOURCE)
            return path, read_pickle(path, path.read_bytes(), SOURCE)
        path = self.place / self.folder / name
        try:
            with tarfile.open(self.place) as archive:
                members = [member for member in archive if self._is(member.name, name)]
                file = archive.extractfile(members[-1]) if members else None
                if file is None or members[-1].size > LARGEST:
                    raise KeyError(name)
                return path, read_pickle(path, file.read(), SOURCE)
        except KeyError as error:
            raise BadDataset(path, "is missing from the archive", SOURCE) from error
        except (OSError, EOFError, tarfile.TarError) as error:
            raise BadDataset(self.place, f"cannot be unpacked ({error})", SOURCE) from error

    def _is(self, member: str, name: str) -> bool:
        """Tell whether a member is the file of that name, in its folder or at the top; `./` in front says nothing."""
        parts = PurePosixPath(member).parts
        return parts[-2:] == (self.folder, name) or parts == (name,)


def _dataset(name: str, batches: Sequence[Batch], labels: Sequence[bytes], class_names: tuple[str, ...]) -> Dataset:
    """Join batches; the last one is the test set."""
    whole = {key: np.concatenate([batch[key] for batch in batches]) for key in (b"data", *labels)}
    count, test = len(whole[b"data"]), len(batches[-1][b"data"])
    if whole[labels[0]].max(initial=0) >= len(class_names):
        raise BadDataset(Path(name), f"has labels above {len(class_names) - 1}", SOURCE)
    return Dataset(
        name=name,
        licence=LICENCE,
        images=whole[b"data"].reshape(count, 3, 32, 32),
        labels=whole[labels[0]],
        classes=len(class_names),
        class_names=class_names,
        superclasses=whole[labels[1]] if len(labels) > 1 else None,
        parts=Parts(train=np.arange(count - test), test=np.arange(count - test, count)),
    )
