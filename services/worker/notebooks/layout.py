"""A benchmark in the layout that notebooks of 2023 read, made once and kept beside the cached benchmark.

a run        /kaggle/input/neurips-2023-machine-unlearning/  the benchmark, in the files of `services.benchmarks.kaggle`
a rehearsal  the same directory holds the same files of stand-in data
a dry run    the same directory holds only `empty.txt`
all three    /kaggle/input/mock-cifar10-data/                the stand-in data, to try code on

The stand-in data are made from fixed seeds, and the model is trained on them for a moment: so no feature of it is zero
for every image, which notebooks divide by, and its outputs are not yet certain. Like the models of 2023, it expects
pixels from 0 to 255, of which nothing is scaled.
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

FORMAT = "3"  # of these directories: a different one makes them again
YEARS_PER_GROUP = 10
# Real notebooks divide by a fifth of their batches, rounded up, less one: so there are more than five batches, of 256
# images in the retain set, and of 64 in the forget set.
MOCK_COUNTS = {"retain": 1300, "forget": 330, "validation": 130}
MOCK_SEED = 0
IMAGES_OF_A_PERSON = 4
SHOWN, SHOWN_AT_ONCE = 640, 128  # images from which the model learns
STEPS, RATE = 60, 0.01
COARSE, BLOCK = 4, 8  # squares of a pattern's side, and pixels of a square's

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
    """Lay out the stand-in data: random images of ten kinds, and a model that was briefly trained on them."""
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
    splits = _mock_splits()
    _write(place, splits, _briefly_trained(splits))


def _mock_splits() -> dict[str, Split]:
    """Draw images: a pattern of the kind, a fainter one of the person, and noise."""
    generator = np.random.default_rng(MOCK_SEED)
    kinds = generator.normal(128, 30, (CLASSES, SHAPE[0], COARSE, COARSE))
    total = sum(MOCK_COUNTS.values())
    subjects = np.arange(total) // IMAGES_OF_A_PERSON
    persons = generator.normal(0, 20, (int(subjects[-1]) + 1, SHAPE[0], COARSE, COARSE))
    labels = generator.integers(0, CLASSES, len(persons))[subjects]
    patterns = (kinds[labels] + persons[subjects]).repeat(BLOCK, axis=2).repeat(BLOCK, axis=3)
    images = np.clip(generator.normal(patterns, 40), 0, 255).astype(np.uint8)
    splits: dict[str, Split] = {}
    start = 0
    for name, count in MOCK_COUNTS.items():
        chosen = slice(start, start := start + count)
        splits[name] = {"image": images[chosen], "label": labels[chosen], "subject": subjects[chosen]}
    return splits


def _briefly_trained(splits: Mapping[str, Split]) -> Split:
    """Show a fresh model some of the data, for its batch norms, and train its last layer on them.

    So every channel varies about 0 before its last activation, and no feature is zero for all images. This takes a
    tenth of the time that training all layers does.
    """
    import torch

    from services.benchmarks.architecture import Architecture

    images = torch.from_numpy(splits["retain"]["image"][:SHOWN]).float()
    targets = torch.nn.functional.one_hot(torch.from_numpy(splits["retain"]["label"][:SHOWN]), CLASSES).float()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(MOCK_SEED)
        net: Any = Architecture(ARCHITECTURE, SHAPE, CLASSES)()
        for layer in net.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.momentum = None  # the mean of all batches
        for batch in images.split(SHOWN_AT_ONCE):
            net.train()(batch)
        head, net.fc = net.fc, torch.nn.Identity()
        features = torch.cat([net.eval()(batch) for batch in images.split(SHOWN_AT_ONCE)])
        for _ in range(STEPS):
            error = (head(features).softmax(1) - targets) / SHOWN
            head.weight -= RATE * error.T @ features
            head.bias -= RATE * error.sum(0)
        net.fc = head
        return {name: value.numpy() for name, value in net.state_dict().items()}


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
