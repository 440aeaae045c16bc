"""Datasets in their published layouts, whole and spoiled, made small in a temporary directory."""

import gzip
import io
import json
import os
import pickle  # noqa: TID251 - the published format of CIFAR
import random
import shutil
import struct
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.model_selection import LeavePGroupsOut

from services.benchmarks.datasets import BadDataset
from services.benchmarks.datasets.casia_surf import casia_surf, list_casia_surf
from services.benchmarks.datasets.cifar import cifar10, cifar100
from services.benchmarks.datasets.images import read_images, resize
from services.benchmarks.datasets.kaggle import kaggle_faces
from services.benchmarks.datasets.mnist import mnist
from services.benchmarks.datasets.registry import DATASETS, divide, read_dataset
from services.benchmarks.synthetic_faces import write_faces
from services.core.errors import LetheError

RNG = np.random.default_rng(0)


# MNIST


def write_idx(path: Path, array: np.ndarray) -> None:
    data = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


@pytest.fixture
def mnist_files(tmp_path: Path) -> Path:
    for part, count in (("train", 6), ("t10k", 3)):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte.gz", RNG.integers(0, 256, (count, 28, 28), dtype=np.uint8))
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte.gz", np.arange(count, dtype=np.uint8))
    return tmp_path


def test_mnist_is_read_packed_or_not(mnist_files: Path) -> None:
    packed = mnist(mnist_files)
    for path in list(mnist_files.iterdir()):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    plain = mnist(mnist_files)

    np.testing.assert_array_equal(packed.images, plain.images)
    assert packed.images.shape == (9, 1, 28, 28)
    assert packed.labels.tolist() == [0, 1, 2, 3, 4, 5, 0, 1, 2]
    assert packed.parts is not None
    assert (packed.parts.train.tolist(), packed.parts.test.tolist()) == ([0, 1, 2, 3, 4, 5], [6, 7, 8])


@pytest.mark.parametrize(
    ("name", "spoil", "says"),
    [
        ("t10k-images-idx3-ubyte.gz", lambda data: data[: len(data) // 2], "cannot be unpacked"),
        ("t10k-images-idx3-ubyte.gz", lambda _: gzip.compress(bytes([0, 0, 8, 3]) + b"\0\0\0\3" * 3), "should contain"),
        ("train-labels-idx1-ubyte.gz", lambda _: gzip.compress(b"\0\0\x0d\1\0\0\0\0"), "is not an IDX file"),
        ("train-labels-idx1-ubyte.gz", lambda _: gzip.compress(b"\0\0\x08\1\0\0\0\1\1"), "1 labels, but there are 6"),
        ("t10k-labels-idx1-ubyte.gz", lambda _: gzip.compress(b"\0\0\x08\1\0\0\0\3\1\2\x0b"), "labels above 9"),
        ("t10k-labels-idx1-ubyte.gz", None, "is missing"),
    ],
)
def test_spoiled_mnist_names_the_file_and_where_to_get_it(
    mnist_files: Path, name: str, spoil: Callable[[bytes], bytes] | None, says: str
) -> None:
    path = mnist_files / name
    if spoil is None:
        path.unlink()
    else:
        path.write_bytes(spoil(path.read_bytes()))

    with pytest.raises(BadDataset, match=says) as caught:
        mnist(mnist_files)

    assert caught.value.path == path
    assert "mirrored" in caught.value.message


# CIFAR


def pickled(**values: Any) -> bytes:
    """Write as the publishers did: protocol 2, keys of bytes."""
    return pickle.dumps({name.encode(): value for name, value in values.items()}, protocol=2)


def cifar10_members() -> dict[str, bytes]:
    members = {
        name: pickled(
            batch_label=name.encode(),
            labels=RNG.integers(0, 10, 4).tolist(),
            data=RNG.integers(0, 256, (4, 3072), dtype=np.uint8),
            filenames=[b"x.png"] * 4,
        )
        for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
    }
    return members | {"batches.meta": pickled(label_names=[f"class {n}".encode() for n in range(10)])}


def cifar100_members() -> dict[str, bytes]:
    members = {
        name: pickled(
            fine_labels=list(range(90, 90 + count)),
            coarse_labels=list(range(count)),
            data=RNG.integers(0, 256, (count, 3072), dtype=np.uint8),
        )
        for name, count in (("train", 6), ("test", 3))
    }
    names = {"fine_label_names": [b"f"] * 100, "coarse_label_names": [b"c"] * 20}
    return members | {"meta": pickled(**names)}


def unpack(directory: Path, folder: str, members: dict[str, bytes]) -> Path:
    (directory / folder).mkdir()
    for name, data in members.items():
        (directory / folder / name).write_bytes(data)
    return directory


def pack(directory: Path, archive: str, folder: str, members: dict[str, bytes]) -> Path:
    with tarfile.open(directory / archive, "w:gz") as tar:
        for name, data in members.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return directory


def test_cifar10_is_read_packed_unpacked_or_by_its_own_folder(tmp_path: Path) -> None:
    members = cifar10_members()
    (tmp_path / "packed").mkdir()
    (tmp_path / "unpacked").mkdir()
    folder = "cifar-10-batches-py"
    packed = pack(tmp_path / "packed", "cifar-10-python.tar.gz", folder, members)
    unpacked = unpack(tmp_path / "unpacked", folder, members)
    found = [cifar10(directory) for directory in (packed, unpacked, unpacked / folder)]

    for other in found[1:]:
        np.testing.assert_array_equal(found[0].images, other.images)
        np.testing.assert_array_equal(found[0].labels, other.labels)
    assert found[0].images.shape == (24, 3, 32, 32)
    expected = pickle.loads(members["data_batch_2"])[b"data"][1]
    np.testing.assert_array_equal(found[0].images[5].ravel(), expected)
    assert found[0].class_names[3] == "class 3"
    assert found[0].parts is not None
    assert found[0].parts.test.tolist() == [20, 21, 22, 23]


def test_cifar100_knows_its_superclasses(tmp_path: Path) -> None:
    found = cifar100(unpack(tmp_path, "cifar-100-python", cifar100_members()))

    assert found.labels.tolist() == [90, 91, 92, 93, 94, 95, 90, 91, 92]
    assert found.superclasses is not None
    assert found.superclasses.tolist() == [0, 1, 2, 3, 4, 5, 0, 1, 2]
    assert (found.classes, len(found.class_names)) == (100, 100)


class Hostile:
    """Runs a command where a pickle is read without care."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch stolen",)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (pickle.dumps({b"data": Hostile()}), "uses posix.system"),
        (b"no pickle at all", "is not a pickle of arrays"),
        (pickle.dumps([1, 2]), "a list instead of a dictionary"),
        (pickled(data=np.zeros((2, 3072)), labels=[0, 1]), "does not contain images of 3 x 32 x 32 bytes"),
        (pickled(data=np.zeros((2, 3072), np.uint8), labels=[0]), "contains 2 images, but not as many labels"),
    ],
)
def test_spoiled_cifar_names_the_file_and_runs_nothing(
    tmp_path: Path, data: bytes, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    unpack(tmp_path, "cifar-10-batches-py", cifar10_members() | {"data_batch_3": data})

    with pytest.raises(BadDataset, match=says) as caught:
        cifar10(tmp_path)

    assert caught.value.path == tmp_path / "cifar-10-batches-py/data_batch_3"
    assert not (tmp_path / "stolen").exists()


def test_missing_parts_of_cifar_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match=r"cifar-10-python.tar.gz is missing.*cs.toronto.edu"):
        cifar10(tmp_path)
    members = cifar10_members()
    del members["data_batch_4"]
    with pytest.raises(BadDataset, match=r"data_batch_4 is missing from the archive"):
        cifar10(pack(tmp_path, "cifar-10-python.tar.gz", "cifar-10-batches-py", members))
    archive = tmp_path / "cifar-10-python.tar.gz"
    archive.write_bytes(archive.read_bytes()[:200])
    with pytest.raises(BadDataset, match="cannot be unpacked"):
        cifar10(tmp_path)


# CASIA-SURF


def make_casia(directory: Path, *, subjects: int = 24, images: int = 4) -> Path:
    """Write folders, subjects and images whose order as numbers, as words and as written all differ."""
    random_ages = random.Random(5)
    names = [f"{n % 3 + 1}_{n:03}" for n in range(subjects)]
    lines = [f"{name} {random_ages.randint(16, 70)} {'MF'[n % 2]}" for n, name in enumerate(names)]
    random_ages.shuffle(lines)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "Age_Gender.txt").write_text("\n".join(lines) + "\n")
    for n, name in enumerate(names):
        color = directory / "WBackground" / ("B", "A", "a10", "a9")[n % 4] / name / "real.rssdk/color"
        color.mkdir(parents=True)
        for number in range(images):
            pixels = np.random.default_rng([n, number]).integers(0, 256, (40 + number, 36, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(color / f"{number * 7}.jpg", quality=90)
        (color / ".hidden.jpg").write_bytes(b"")
        (color / "notes.txt").write_text("")
    return directory


def published_split(directory: Path) -> dict[str, list[str]]:
    """Divide as the 2023 evaluation describes it, with other tools: numpy's text reader, glob, scikit-learn."""
    import glob

    table = np.loadtxt(
        directory / "Age_Gender.txt", dtype={"names": ("id", "age", "gender"), "formats": ("S11", "i4", "S1")}
    )
    users = [user.decode() for user in np.unique(table["id"])]
    examples = [
        (image, users.index(Path(folder).name))
        for folder in sorted(glob.glob(f"{directory}/WBackground/*/*"))  # noqa: PTH207
        for image in sorted(glob.glob(f"{folder}/real.rssdk/color/*.jpg"))  # noqa: PTH207
    ]
    random.Random(43).shuffle(examples)
    count = len(examples)
    train = examples[: int(0.8 * count)]
    groups = [subject for _, subject in train]
    retain, forget = next(LeavePGroupsOut(n_groups=15).split(np.zeros((len(train), 1)), None, groups))
    parts = {
        "retain": [train[index] for index in retain],
        "forget": [train[index] for index in forget],
        "validation": examples[int(0.8 * count) : int(0.9 * count)],
        "test": examples[int(0.9 * count) :],
    }
    return {name: [os.path.relpath(path, directory) for path, _ in part] for name, part in parts.items()}


def test_casia_surf_is_divided_as_published(tmp_path: Path) -> None:
    directory = make_casia(tmp_path / "casia")

    assert divide("casia-surf", directory) == published_split(directory)


def test_split_command_prints_the_paths_without_training(tmp_path: Path) -> None:
    directory = make_casia(tmp_path / "casia")
    command = [sys.executable, "-m", "services.cli.main", "benchmark", "split"]

    done = subprocess.run(
        [*command, "casia-surf", "--data", str(directory), "--json"], capture_output=True, text=True, check=True
    )
    shown = subprocess.run(
        [*command, "casia-surf", "--data", str(directory)], capture_output=True, text=True, check=True
    )
    refused = subprocess.run([*command, "mnist", "--data", str(directory)], capture_output=True, text=True, check=False)

    assert json.loads(done.stdout) == published_split(directory)
    assert [line.split()[0] for line in shown.stdout.splitlines()] == ["retain", "forget", "validation", "test"]
    assert (refused.returncode, "Choose casia-surf" in refused.stderr) == (1, True)


def test_labels_are_ten_equal_bins_of_age(tmp_path: Path) -> None:
    listing = list_casia_surf(make_casia(tmp_path / "casia"))
    edges = np.linspace(listing.ages.min(), listing.ages.max() + 1, 11)
    by_hand = [max(bin_ for bin_ in range(10) if edges[bin_] <= age) for age in listing.ages]

    assert listing.labels.tolist() == by_hand
    assert listing.labels.max() == 9


def test_casia_surf_is_read_and_remembered(tmp_path: Path) -> None:
    directory, cache = make_casia(tmp_path / "casia"), tmp_path / "cache"
    seen: list[tuple[int, int]] = []
    first = casia_surf(directory, cache=cache, progress=lambda done, total: seen.append((done, total)))

    assert first.images.shape == (96, 3, 32, 32)
    assert seen[-1] == (96, 96)
    with Image.open(directory / first.paths[10]) as file:
        pixels = np.asarray(file.convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(first.images[10], resize(np.ascontiguousarray(pixels), 32))

    for path in first.paths:
        os.chmod(directory / path, 0o600)  # noqa: PTH101
    moments = {path: (directory / path).stat() for path in first.paths}
    for path in first.paths:
        (directory / path).write_bytes(b"x" * moments[path].st_size)
        os.utime(directory / path, ns=(moments[path].st_atime_ns, moments[path].st_mtime_ns))
    np.testing.assert_array_equal(casia_surf(directory, cache=cache).images, first.images)
    os.utime(directory / first.paths[3])
    with pytest.raises(BadDataset, match="not a readable image"):
        casia_surf(directory, cache=cache)


def test_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    directory, cache = make_casia(tmp_path / "casia", subjects=20, images=2), tmp_path / "cache"
    images = casia_surf(directory, cache=cache).images
    (stored,) = cache.iterdir()
    stored.write_bytes(b"garbage")

    np.testing.assert_array_equal(casia_surf(directory, cache=cache).images, images)
    assert stored.stat().st_size > images.nbytes


def remove_images(directory: Path) -> None:
    for path in directory.rglob("*.jpg"):
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "file", "says"),
    [
        (lambda d: (d / "Age_Gender.txt").unlink(), "Age_Gender.txt", "is missing"),
        (lambda d: (d / "Age_Gender.txt").write_text("1_001 old M\n"), "Age_Gender.txt", "line 1"),
        (lambda d: (d / "Age_Gender.txt").write_text("a 20 M\na 30 F\n"), "Age_Gender.txt", "again in line 2"),
        (lambda d: (d / "Age_Gender.txt").write_text("\n"), "Age_Gender.txt", "names no subject"),
        (lambda d: (d / "Age_Gender.txt").write_bytes(b"\xff\xfe 1 2"), "Age_Gender.txt", "cannot be read"),
        (lambda d: (d / "Age_Gender.txt").write_text("a 20 M\n"), "WBackground/A/1_009", "does not name"),
        (lambda d: (d / "WBackground").rename(d / "elsewhere"), "WBackground", "is missing"),
        (remove_images, "WBackground", "contains no"),
    ],
)
def test_spoiled_casia_surf_names_the_file_and_where_to_get_it(
    tmp_path: Path, spoil: Callable[[Path], object], file: str, says: str
) -> None:
    directory = make_casia(tmp_path / "casia", subjects=18, images=1)
    spoil(directory)

    with pytest.raises(BadDataset, match=says) as caught:
        list_casia_surf(directory)

    assert caught.value.path == directory / file
    assert "synthetic-faces" in caught.value.message


def test_too_few_subjects_to_forget_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="forgetting 15 needs more"):
        list_casia_surf(make_casia(tmp_path / "casia", subjects=15))


# Pixels


@pytest.mark.parametrize("shape", [(96, 96), (45, 61), (33, 200), (31, 20), (1, 1)])
def test_resizing_is_bilinear_between_pixel_centres(shape: tuple[int, int]) -> None:
    """By definition, in float64: off by one at most where float32 rounds the other way at a half."""
    image = np.random.default_rng(shape[0]).integers(0, 256, (3, *shape), dtype=np.uint8)
    places = [np.clip((np.arange(32) + 0.5) * size / 32 - 0.5, 0, size - 1) for size in shape]
    lower = [np.floor(place).astype(int) for place in places]
    upper = [np.minimum(low + 1, size - 1) for low, size in zip(lower, shape, strict=True)]
    share = [place - low for place, low in zip(places, lower, strict=True)]
    rows = image[:, lower[0]] * (1 - share[0])[:, None] + image[:, upper[0]] * share[0][:, None]
    expected = rows[:, :, lower[1]] * (1 - share[1]) + rows[:, :, upper[1]] * share[1]

    found = resize(image, 32)

    assert np.abs(found - expected).max() <= 0.5 + 1e-3


def test_image_of_the_right_size_is_left_alone() -> None:
    image = np.random.default_rng(0).integers(0, 256, (3, 32, 32), dtype=np.uint8)

    np.testing.assert_array_equal(resize(image, 32), image)


READ_WITH_TORCHVISION = """
import sys
import numpy, torch
import torchvision
from torchvision import io, transforms
paths = sorted(__import__("pathlib").Path("/data").glob("*.jpg"))
images = [transforms.Resize((32, 32))(io.read_image(str(path))) for path in paths]
sys.stdout.buffer.write(torch.stack(images).numpy().tobytes())
"""


def test_pixels_are_those_of_an_old_torchvision(old_image: str, tmp_path: Path) -> None:
    """Decoded and resized by torchvision 0.14, in the sandbox image, as the 2023 evaluation does it."""
    rng = np.random.default_rng(0)
    for number in range(24):
        grid = rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)
        size = (int(rng.integers(20, 140)), int(rng.integers(20, 140)))
        Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC).save(
            tmp_path / f"{number:02}.jpg", quality=int(rng.integers(60, 96)), subsampling=int(rng.integers(0, 3))
        )
    mount = f"{tmp_path}:/data:ro"
    done = subprocess.run(
        [
            "docker",
            "run",
            "--rm",
            "--network=none",
            "--user=0",
            "-v",
            mount,
            old_image,
            "python3",
            "-c",
            READ_WITH_TORCHVISION,
        ],
        capture_output=True,
        check=True,
    )
    theirs = np.frombuffer(done.stdout, np.uint8).reshape(24, 3, 32, 32)

    ours = read_images(tmp_path, sorted(path.name for path in tmp_path.iterdir()), size=32, source="")

    np.testing.assert_array_equal(ours, theirs)


# By name


def test_datasets_are_read_by_name(mnist_files: Path, tmp_path: Path) -> None:
    assert len(read_dataset("digits", None, cache=tmp_path).labels) == 1797
    assert len(read_dataset("mnist", mnist_files, cache=tmp_path).labels) == 9
    with pytest.raises(LetheError, match=r"casia-surf, cifar10, cifar100, digits, digits-pairs, kaggle"):
        read_dataset("imagenet", None, cache=tmp_path)
    for name in DATASETS.keys() - {"digits", "digits-pairs"}:
        with pytest.raises(LetheError, match="--data"):
            read_dataset(name, None, cache=tmp_path)


def test_pairs_of_digits_have_five_superclasses(tmp_path: Path) -> None:
    pairs, digits = (read_dataset(name, None, cache=tmp_path) for name in ("digits-pairs", "digits"))

    np.testing.assert_array_equal(pairs.images, digits.images)
    np.testing.assert_array_equal(pairs.labels, digits.labels)
    assert pairs.superclasses is not None
    assert set(zip(digits.labels.tolist(), pairs.superclasses.tolist(), strict=True)) == {
        (0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3), (7, 3), (8, 4), (9, 4)
    }  # fmt: skip


def test_inspect_command_says_what_a_dataset_holds(tmp_path: Path) -> None:
    directory = make_casia(tmp_path / "casia")
    command = [sys.executable, "-m", "services.cli.main", "data", "inspect"]
    environment = os.environ | {"LETHE_DATA_DIR": str(tmp_path / "var")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)

    shown = json.loads(run("casia-surf", "--data", str(directory), "--json").stdout)

    assert (shown["images"], shown["shape"], shown["subjects"], shown["classes"]) == (96, [3, 32, 32], 24, 10)
    assert sum(shown["per_class"]) == 96
    assert "1797" in run("digits").stdout
    missing = run("cifar10", "--data", str(tmp_path))
    assert (missing.returncode, "cs.toronto.edu" in missing.stderr) == (1, True)


# Kaggle's layout of 2023

KAGGLE = ("retain", "forget", "validation")


@pytest.fixture(scope="module")
def kaggle_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("kaggle") / "faces"
    write_faces(directory, subjects=20, images_per_subject=5, layout="kaggle")
    return directory


@pytest.fixture
def kaggle(kaggle_original: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(kaggle_original, tmp_path / "faces"))


def kaggle_rows(directory: Path, name: str) -> list[list[str]]:
    return [line.split(",") for line in (directory / f"{name}.csv").read_text().splitlines()[1:]]


def test_kaggle_faces_are_read_as_the_tables_say(kaggle: Path, tmp_path: Path) -> None:
    found = read_dataset("kaggle-faces", kaggle, cache=tmp_path / "cache")
    tables = {name: kaggle_rows(kaggle, name) for name in KAGGLE}
    rows = [row for name in KAGGLE for row in tables[name]]

    assert found.images.shape == (len(rows), 3, 32, 32)
    assert (found.images.dtype.name, found.classes) == ("uint8", 10)
    assert found.labels.tolist() == [int(group) for _, group, _, _ in rows]
    for position in (0, len(tables["retain"]), len(rows) - 1):
        person, number = rows[position][0].split("-")
        with Image.open(kaggle / "images" / person / f"{number}.png") as file:
            expected = np.asarray(file.convert("RGB")).transpose(2, 0, 1)
        np.testing.assert_array_equal(found.images[position], expected)
    assert found.subjects is not None
    same_person = np.array([[one[3] == other[3] for other in rows] for one in rows])
    np.testing.assert_array_equal(found.subjects[:, None] == found.subjects, same_person)


def test_kaggle_faces_are_divided_as_the_tables_are(kaggle: Path) -> None:
    """The test set was hidden: every second row of the validation table takes its place."""
    found = kaggle_faces(kaggle)
    names = {name: [row[0].replace("-", "/", 1) for row in kaggle_rows(kaggle, name)] for name in KAGGLE}
    assert found.parts is not None
    assert found.parts.forget is not None
    assert found.parts.validation is not None

    def paths(positions: np.ndarray) -> list[str]:
        return [found.paths[position].removeprefix("images/").removesuffix(".png") for position in positions]

    assert paths(found.parts.train) == names["retain"] + names["forget"]
    assert paths(found.parts.forget) == names["forget"]
    assert paths(found.parts.validation) == names["validation"][::2]
    assert paths(found.parts.test) == names["validation"][1::2]


def edit(directory: Path, line: int, text: str) -> None:
    path = directory / "forget.csv"
    lines = path.read_text().splitlines()
    lines[line - 1] = text
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda d: (d / "forget.csv").unlink(), "is missing"),
        (lambda d: (d / "forget.csv").write_text(""), "lacks one of the columns age, age_group, image_id, person_id"),
        (lambda d: edit(d, 1, "image_id,age_group,age"), "lacks one of the columns"),
        (lambda d: (d / "forget.csv").write_text("image_id,age_group,age,person_id\n"), "lists no images"),
        (lambda d: (d / "forget.csv").write_bytes(b"\xff\xfe"), "cannot be read"),
        (lambda d: edit(d, 3, "../1-2,3,40,1"), "no image_id such as 12-3 in line 3"),
        (lambda d: edit(d, 3, "1-2-3,3,40,1"), "no image_id such as 12-3 in line 3"),
        (lambda d: edit(d, 2, "1"), "line 2"),
        (lambda d: edit(d, 4, "1-2,10,40,1"), "no age_group from 0 to 9 or no person_id in line 4"),
        (lambda d: edit(d, 4, "1-2,-1,40,1"), "no age_group from 0 to 9 or no person_id in line 4"),
        (lambda d: edit(d, 4, "1-2,3,40,"), "no age_group from 0 to 9 or no person_id in line 4"),
    ],
)
def test_spoiled_kaggle_tables_name_the_file_and_the_line(
    kaggle: Path, spoil: Callable[[Path], object], says: str
) -> None:
    spoil(kaggle)
    with pytest.raises(BadDataset, match=says) as caught:
        kaggle_faces(kaggle)
    assert caught.value.path == kaggle / "forget.csv"
    assert "--layout kaggle" in caught.value.message


def test_an_image_that_a_kaggle_table_names_but_is_not_there_is_named(kaggle: Path, tmp_path: Path) -> None:
    edit(kaggle, 2, "999-1,3,40,999")
    with pytest.raises(BadDataset) as caught:
        kaggle_faces(kaggle, cache=tmp_path / "cache")
    assert caught.value.path == kaggle / "images/999/1.png"
