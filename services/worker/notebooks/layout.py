"""A benchmark in the layout that notebooks of 2023 read, made once and kept beside the cached benchmark.

hidden run   /kaggle/input/neurips-2023-machine-unlearning/  the files that `services.benchmarks.kaggle` lists
dry run      the same directory holds only `empty.txt`
both         /kaggle/input/mock-cifar10-data/                the same files of random images, to try code on
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.benchmarks.kaggle import ORIGINAL, TABLES, Row, image_path, write_counts, write_table
from services.core.bundle.directory import Bundle
from services.core.submission.notebook import ARCHITECTURE, CLASSES, SHAPE, NotForNotebooks, require_notebooks

__all__ = ["benchmark_layout", "dry_layout", "mock_layout"]

FORMAT = "1"  # of these directories: a different one makes them again
YEARS_PER_GROUP = 10
MOCK_COUNTS = {"retain": 128, "forget": 32, "validation": 64}

Split = Mapping[str, NDArray[Any]]


def benchmark_layout(bundle: Bundle, cache: Path) -> Path:
    """Lay out a benchmark's public part; return the directory. Raises NotForNotebooks."""
    require_notebooks(bundle.manifest)
    splits = {name: bundle.arrays(f"public/{name}.safetensors") for name in TABLES}
    if any(split["image"].dtype != np.uint8 for split in splits.values()):
        raise NotForNotebooks(f"Notebooks cannot run on {bundle.manifest.name}: its images are not 8-bit.")
    original = bundle.arrays("public/original.safetensors")
    return _once(cache / f"kaggle-{FORMAT}-{bundle.manifest.digest}", lambda place: _write(place, splits, original))


def dry_layout(cache: Path) -> Path:
    """Make the directory by which a notebook recognises a dry run."""
    return _once(cache / f"kaggle-{FORMAT}-dry", lambda place: (place / "empty.txt").write_bytes(b""))


def mock_layout(cache: Path) -> Path:
    """Lay out random images and an untrained model."""
    return _once(cache / f"kaggle-{FORMAT}-mock", _write_mock)


def _once(place: Path, write: Any) -> Path:
    if not place.is_dir():
        partial = place.with_name(f"{place.name}.{uuid4().hex}")
        partial.mkdir(parents=True)
        try:
            write(partial)
            partial.rename(place)
        except OSError:  # another slot was faster
            if not place.is_dir():
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return place


def _write_mock(place: Path) -> None:
    import torch

    from services.benchmarks.architecture import Architecture

    generator = np.random.default_rng(0)
    splits: dict[str, Split] = {}
    for name, count in MOCK_COUNTS.items():
        labels = generator.integers(0, CLASSES, count)
        centres = 25 * labels[:, None, None, None]
        images = np.clip(generator.normal(centres, 40, (count, *SHAPE)), 0, 255).astype(np.uint8)
        splits[name] = {"image": images, "label": labels, "subject": np.arange(count) // 4}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        state = Architecture(ARCHITECTURE, SHAPE, CLASSES)().state_dict()
    _write(place, splits, {name: value.numpy() for name, value in state.items()})


def _write(place: Path, splits: Mapping[str, Split], original: Split) -> None:
    import torch

    state = {name: torch.from_numpy(np.array(value)) for name, value in original.items()}
    torch.save(state, place / ORIGINAL)
    people: dict[int, int] = {}  # how many images each person has so far
    for name, split in splits.items():
        subjects = split.get("subject", np.arange(len(split["label"])))
        rows = []
        for image, label, subject in zip(split["image"], split["label"], subjects, strict=True):
            person = int(subject)
            number = people[person] = people.get(person, -1) + 1
            _write_image(place / image_path(person, number), image)
            age = YEARS_PER_GROUP * int(label) + YEARS_PER_GROUP // 2
            rows.append(Row.of(person, number, group=int(label), age=age))
        write_table(place, name, rows)
    trained = np.concatenate([splits["retain"]["label"], splits["forget"]["label"]])
    write_counts(place, np.bincount(trained, minlength=CLASSES).tolist())


def _write_image(path: Path, image: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))).save(path, compress_level=1)
