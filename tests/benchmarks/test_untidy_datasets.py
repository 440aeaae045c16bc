"""Datasets as people have them: tables from Excel, folders of other tools, broken copies beside good ones, doubles."""

import gzip
import io
import shutil
import struct
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.benchmarks.catalogue import find_definition
from services.benchmarks.cutting import cut
from services.benchmarks.datasets import BadDataset, Dataset, Parts
from services.benchmarks.datasets.casia_surf import casia_surf, list_casia_surf
from services.benchmarks.datasets.cifar import cifar10
from services.benchmarks.datasets.images import read_images
from services.benchmarks.datasets.kaggle import kaggle_faces
from services.benchmarks.datasets.mnist import mnist
from services.benchmarks.remarks import remarks_on
from services.benchmarks.scenarios import Random
from services.benchmarks.synthetic_faces import write_faces
from tests.benchmarks.test_datasets import cifar10_members, make_casia, pack, unpack, write_idx

TABLES = ("retain", "forget", "validation")


@pytest.fixture(scope="module")
def tidy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("kaggle") / "faces"
    write_faces(directory, subjects=20, images_per_subject=3, layout="kaggle")
    return directory


@pytest.fixture
def kaggle(tidy: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(tidy, tmp_path / "faces"))


def rewrite(directory: Path, change: Callable[[str], str], encoding: str = "utf-8") -> None:
    for name in TABLES:
        path = directory / f"{name}.csv"
        path.write_text(change(path.read_text()), encoding=encoding)


# Tables


@pytest.mark.parametrize(
    ("change", "encoding"),
    [
        (str, "utf-8-sig"),
        (lambda text: text.replace(",", ";"), "utf-8-sig"),
        (lambda text: text.replace(",", "\t"), "utf-8"),
        (lambda text: text.replace(",", " , "), "utf-8"),
        (lambda text: text.replace("\n", "\r\n") + ",,,\r\n", "utf-8"),
        (lambda text: "".join(f'"{line}"\n'.replace(",", '","') for line in text.splitlines()), "utf-8"),
    ],
    ids=["byte order mark", "semicolons", "tabs", "spaces", "empty last row", "quotes"],
)
def test_tables_as_excel_and_people_write_them_say_the_same(
    kaggle: Path, change: Callable[[str], str], encoding: str
) -> None:
    expected = kaggle_faces(kaggle)
    rewrite(kaggle, change, encoding)
    found = kaggle_faces(kaggle)

    assert found.paths == expected.paths
    assert found.labels.tolist() == expected.labels.tolist()
    assert found.subjects is not None and expected.subjects is not None
    assert found.subjects.tolist() == expected.subjects.tolist()


def test_a_table_of_other_columns_is_refused_with_those_it_has(kaggle: Path) -> None:
    rewrite(kaggle, lambda text: text.replace("image_id", "picture").replace(",", ";"))

    with pytest.raises(BadDataset, match="it has picture, age_group, age, person_id") as caught:
        kaggle_faces(kaggle)

    assert caught.value.path == kaggle / "retain.csv"


def test_utf_16_is_named(kaggle: Path, tmp_path: Path) -> None:
    rewrite(kaggle, str, "utf-16")
    casia = make_casia(tmp_path / "casia", images=1)
    path = casia / "Age_Gender.txt"
    path.write_text(path.read_text(), encoding="utf-16")

    for read in (lambda: kaggle_faces(kaggle), lambda: list_casia_surf(casia)):
        with pytest.raises(BadDataset, match=r"UTF-16\. Save it as UTF-8"):
            read()


def test_age_gender_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    directory = make_casia(tmp_path / "casia", images=1)
    expected = list_casia_surf(directory)
    path = directory / "Age_Gender.txt"
    path.write_text(path.read_text(), encoding="utf-8-sig")

    assert list_casia_surf(directory).labels.tolist() == expected.labels.tolist()


@pytest.mark.parametrize(("source", "target"), [("retain", "forget"), ("forget", "validation"), ("retain", "retain")])
def test_an_image_named_twice_is_refused(kaggle: Path, source: str, target: str) -> None:
    row = (kaggle / f"{source}.csv").read_text().splitlines()[2]
    path = kaggle / f"{target}.csv"
    path.write_text(path.read_text() + row + "\n")
    line, image_id = len(path.read_text().splitlines()), row.split(",")[0]

    with pytest.raises(BadDataset) as caught:
        kaggle_faces(kaggle)

    assert caught.value.path == path
    assert f"names image {image_id} in line {line}, but {source}.csv line 3 has it already" in caught.value.message


# Pixels


def write_png16(path: Path, pixels: np.ndarray) -> None:
    """Write a PNG of 16 bits a channel: grey [h, w], or colours [h, w, 3]."""
    height, width = pixels.shape[:2]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in pixels)
    head = struct.pack(">IIBBBBB", width, height, 16, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def test_16_bits_a_channel_are_scaled_or_refused_but_never_clipped(tmp_path: Path) -> None:
    grey = np.arange(1024, dtype=np.uint16).reshape(32, 32) * 64
    write_png16(tmp_path / "grey.png", grey)
    write_png16(tmp_path / "colour.png", np.stack([grey] * 3, axis=-1))
    Image.fromarray(grey.astype(np.float32)).save(tmp_path / "float.tif")

    np.testing.assert_array_equal(read_images(tmp_path, ["colour.png"], size=32, source="")[0], [grey >> 8] * 3)
    for name in ("grey.png", "float.tif"):
        with pytest.raises(BadDataset, match=r"more than 8 bits a channel.*Scale it to 8 bits"):
            read_images(tmp_path, [name], size=32, source="")


# What is passed over


def test_what_the_published_loader_passes_over_is_counted_by_reason(tmp_path: Path) -> None:
    directory = make_casia(tmp_path / "casia")
    assert casia_surf(directory).notes == ()
    for number, name in enumerate(("0.jpg", "7.jpg", "14.jpg", "21.jpg")):
        path = next(directory.glob("WBackground/*/1_000/real.rssdk/color")) / name
        path.rename(path.with_suffix((".JPG", ".jpeg", ".png", ".JPEG")[number]))
    shutil.rmtree(next(directory.glob("WBackground/*/2_001")))
    (directory / "WBackground/A/stranger").mkdir()
    found = casia_surf(directory)

    assert len(found.labels) == 96 - 8
    assert found.notes == (
        "Images whose names do not end in .jpg: 4, such as WBackground/B/1_000/real.rssdk/color/0.JPG. "
        "They are passed over.",
        "Subjects of Age_Gender.txt without a folder: 1, such as 2_001. They are passed over.",
        "Subjects of Age_Gender.txt without an image that ends in .jpg: 1, such as 1_000. They are passed over.",
        "Folders of no subject in Age_Gender.txt: 1, such as WBackground/A/stranger. They are passed over.",
    )


def test_images_that_no_table_names_are_counted(kaggle: Path) -> None:
    """The stand-in's own test images are in no table, as in 2023."""
    named = kaggle_faces(kaggle).paths
    own = sum(1 for _ in kaggle.glob("images/*/*.png")) - len(named)
    for name in ("0a.png", "998.JPG", "._1.png", "notes.txt"):
        shutil.copy(kaggle / named[0], kaggle / "images/1" / name)

    assert kaggle_faces(kaggle).notes == (f"Images that no table names: {own + 2}, such as images/1/0a.png.",)


# Places


def mnist_stems() -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for part, count in (("train", 6), ("t10k", 3)):
        found[f"{part}-images-idx3"] = np.arange(count * 784, dtype=np.uint32).astype(np.uint8).reshape(count, 28, 28)
        found[f"{part}-labels-idx1"] = np.arange(count, dtype=np.uint8)
    return found


@pytest.mark.parametrize(
    "place",
    [
        "MNIST/raw/{stem}-ubyte",
        "MNIST/raw/{stem}-ubyte.gz",
        "raw/{stem}-ubyte",
        "{stem}-ubyte/{stem}-ubyte",
        "{dotted}-ubyte/{dotted}-ubyte",
        "{stem}-ubyte/{dotted}-ubyte",
    ],
)
def test_mnist_is_found_where_torchvision_and_kaggle_put_it(tmp_path: Path, place: str) -> None:
    for stem, array in mnist_stems().items():
        path = tmp_path / place.format(stem=stem, dotted=stem.replace("-idx", ".idx"))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_idx(path, array)

    assert mnist(tmp_path).labels.tolist() == [0, 1, 2, 3, 4, 5, 0, 1, 2]


def test_mnist_takes_the_good_file_beside_a_broken_one_and_says_so(tmp_path: Path) -> None:
    for stem, array in mnist_stems().items():
        write_idx(tmp_path / f"{stem}-ubyte", array)
    broken = tmp_path / "t10k-images-idx3-ubyte.gz"
    broken.write_bytes(gzip.compress(b"x" * 1000)[:20])
    found = mnist(tmp_path)

    assert len(found.labels) == 9
    (note,) = found.notes
    assert note.startswith(f"{broken} cannot be unpacked") and note.endswith("t10k-images-idx3-ubyte was taken.")


def test_a_file_that_a_browser_unpacked_under_its_old_name_is_read(tmp_path: Path) -> None:
    for stem, array in mnist_stems().items():
        write_idx(tmp_path / "plain", array)
        (tmp_path / "plain").rename(tmp_path / f"{stem}-ubyte.gz")

    assert len(mnist(tmp_path).labels) == 9


FOLDER = "cifar-10-batches-py"


def packed(path: Path, members: dict[str, bytes], *, prefix: str, mode: str) -> None:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, data in members.items():
            entry = tarfile.TarInfo(f"{prefix}{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))


@pytest.mark.parametrize(
    ("name", "prefix", "mode"),
    [
        ("cifar-10-python.tar", f"{FOLDER}/", "w"),
        ("cifar-10-python.tar.gz", f"{FOLDER}/", "w"),
        ("cifar-10-python.tar.gz", f"./{FOLDER}/", "w:gz"),
        ("cifar-10-python.tar.gz", f"downloads/{FOLDER}/", "w:gz"),
        ("cifar-10-python.tar.gz", "./", "w:gz"),
        ("cifar-10-python.tgz", f"{FOLDER}/", "w:gz"),
    ],
)
def test_cifar_is_read_from_archives_that_were_unpacked_or_packed_again(
    tmp_path: Path, name: str, prefix: str, mode: str
) -> None:
    members = cifar10_members()
    (tmp_path / "other").mkdir()
    packed(tmp_path / name, members, prefix=prefix, mode=mode)

    expected = cifar10(unpack(tmp_path / "other", FOLDER, members))

    np.testing.assert_array_equal(cifar10(tmp_path).images, expected.images)


@pytest.mark.parametrize("place", ["cifar-10-python", FOLDER])
def test_cifar_is_found_one_folder_deeper(tmp_path: Path, place: str) -> None:
    (tmp_path / place).mkdir()
    unpack(tmp_path / place, FOLDER, cifar10_members())

    assert len(cifar10(tmp_path).labels) == 24


def test_cifar_takes_the_good_folder_beside_a_broken_archive_and_says_so(tmp_path: Path) -> None:
    members = cifar10_members()
    archive = pack(tmp_path, "cifar-10-python.tar.gz", FOLDER, members) / "cifar-10-python.tar.gz"
    archive.write_bytes(archive.read_bytes()[:200])
    found = cifar10(unpack(tmp_path, FOLDER, members))

    assert len(found.labels) == 24
    (note,) = found.notes
    assert note.startswith(f"{archive} cannot be unpacked")
    assert note.endswith(f"so {tmp_path / FOLDER} was taken.")


# What a build notices


def dataset(labels: list[int], **changes: object) -> Dataset:
    """Twelve different images: eight to train on, two each for validation and test."""
    parts = Parts(train=np.arange(8), validation=np.arange(8, 10), test=np.arange(10, 12))
    images = np.arange(12, dtype=np.uint8)[:, None, None, None].repeat(4, axis=2)
    plain = Dataset("tiny", "none", images, np.array(labels), classes=3, parts=parts)
    return replace(plain, **changes)  # type: ignore[arg-type]


def remarks(found: Dataset) -> tuple[str, ...]:
    definition = replace(find_definition("digits"), split="published", scenario=Random(2))
    return remarks_on(found, cut(definition, found))


def test_nothing_is_remarked_on_tidy_data() -> None:
    assert remarks(dataset([0, 1, 2] * 4)) == ()


def test_equal_pixels_are_counted_for_each_pair_of_sets_with_an_example() -> None:
    found = dataset([0, 1, 2] * 4, paths=tuple(f"{n}.png" for n in range(12)))
    found.images[10] = found.images[8]
    found.images[11] = found.images[9]

    assert remarks(found) == (
        "Images of the test set whose pixels equal those of one of the validation set: 2, such as 10.png and 8.png.",
    )

    found.images[:] = 7
    told = remarks(found)
    assert len(told) == 6
    for (first, second), text in zip(combinations(("retain", "forget", "validation", "test"), 2), told, strict=True):
        assert f"the {second} set whose pixels equal those of one of the {first} set: 2," in text


def test_one_class_and_missing_classes_are_remarked_on() -> None:
    told = remarks(dataset([1] * 12))

    assert told == (
        "All 6 images of the retain set are of one class, 1: models learn to answer it always.",
        "All 2 images of the validation set are of one class, 1: its accuracy says little.",
        "All 2 images of the test set are of one class, 1: accuracy on it says little.",
        "2 of 3 classes have no training image: 0, 2.",
    )


def test_what_the_loader_passed_over_is_remarked_on() -> None:
    assert remarks(dataset([0, 1, 2] * 4, notes=("Something was left out.",))) == ("Something was left out.",)
