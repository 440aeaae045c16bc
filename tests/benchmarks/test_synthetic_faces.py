"""Drawn faces: where the files lie, that the same arguments give the same bytes, and what is refused."""

import csv
import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from services.benchmarks.synthetic_faces import (
    CannotWrite,
    OutOccupied,
    TooFewImages,
    UnknownLayout,
    WrongNumber,
    age_groups,
    portrait,
    small,
    subject_of,
    write_faces,
)
from services.cli.data import app
from services.core.errors import LetheError

SUBJECTS, IMAGES, SEED = 20, 5, 7


@pytest.fixture(scope="module")
def casia(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("casia") / "faces"
    write_faces(out, subjects=SUBJECTS, images_per_subject=IMAGES, seed=SEED, layout="casia-surf")
    return out


@pytest.fixture(scope="module")
def kaggle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("kaggle") / "faces"
    write_faces(out, subjects=SUBJECTS, images_per_subject=IMAGES, seed=SEED, layout="kaggle")
    return out


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def rows(root: Path, table: str) -> list[dict[str, str]]:
    with (root / f"{table}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_casia_layout_has_a_line_and_a_folder_for_every_subject(casia: Path) -> None:
    names = [f"syn{number:05}" for number in range(1, SUBJECTS + 1)]
    images = {
        f"WBackground/synthetic-001/{name}/real.rssdk/color/{number:04}.jpg"
        for name in names
        for number in range(1, IMAGES + 1)
    }
    assert set(files(casia)) == images | {"Age_Gender.txt"}

    text = (casia / "Age_Gender.txt").read_bytes().decode("ascii")
    assert text.endswith("\n") and "\r" not in text
    fields = [line.split(" ") for line in text.splitlines()]
    assert [name for name, _, _ in fields] == names
    assert all(15 <= int(age) <= 70 and gender in {"M", "F"} for _, age, gender in fields)
    assert max(len(name) for name in names) <= 11


def test_casia_layout_opens_another_folder_after_a_hundred_subjects(tmp_path: Path) -> None:
    write_faces(tmp_path, subjects=101, images_per_subject=1)
    folders = {folder.name: len(list(folder.iterdir())) for folder in (tmp_path / "WBackground").iterdir()}
    assert folders == {"synthetic-001": 100, "synthetic-002": 1}


@pytest.mark.parametrize(("layout", "pattern", "side"), [("casia", "*.jpg", 96), ("kaggle", "*.png", 32)])
def test_every_image_opens_with_the_right_size(
    request: pytest.FixtureRequest, layout: str, pattern: str, side: int
) -> None:
    paths = list(request.getfixturevalue(layout).rglob(pattern))
    assert len(paths) == SUBJECTS * IMAGES
    for path in paths:
        with Image.open(path) as image:
            image.load()
            assert (image.mode, image.size) == ("RGB", (side, side))


def test_kaggle_layout_splits_as_in_2023(kaggle: Path) -> None:
    order = [f"{person}-{number}" for person in range(1, SUBJECTS + 1) for number in range(1, IMAGES + 1)]
    Random(43).shuffle(order)
    train, validation = order[:80], order[80:90]
    forgotten = ("1-", "2-", "3-")  # 15 % of 20 subjects

    assert [row["image_id"] for row in rows(kaggle, "forget")] == [name for name in train if name.startswith(forgotten)]
    retained = [name for name in train if not name.startswith(forgotten)]
    assert [row["image_id"] for row in rows(kaggle, "retain")] == retained
    assert [row["image_id"] for row in rows(kaggle, "validation")] == validation


def test_kaggle_tables_agree_with_the_casia_ages(casia: Path, kaggle: Path) -> None:
    lines = (casia / "Age_Gender.txt").read_text().splitlines()
    ages = [int(line.split(" ")[1]) for line in lines]
    width = (max(ages) + 1 - min(ages)) / 10
    for table in ("retain", "forget", "validation"):
        assert (kaggle / f"{table}.csv").read_bytes().startswith(b"image_id,age_group,age,person_id\n")
        for row in rows(kaggle, table):
            person, number = row["image_id"].split("-")
            assert person == row["person_id"] and (kaggle / "images" / person / f"{number}.png").is_file()
            age = ages[int(person) - 1]
            assert int(row["age"]) == age
            assert int(row["age_group"]) == int((age - min(ages)) / width + 1e-9)


def test_kaggle_class_weights_are_counts_of_training_images(kaggle: Path) -> None:
    groups = [row["age_group"] for table in ("retain", "forget") for row in rows(kaggle, table)]
    counts = json.loads((kaggle / "age_class_weights.json").read_text())
    assert list(counts) == [str(group) for group in range(10)]
    assert counts == {group: groups.count(group) for group in counts}
    assert {path.name for path in kaggle.iterdir()} == {
        "images",
        "retain.csv",
        "forget.csv",
        "validation.csv",
        "age_class_weights.json",
    }


def test_kaggle_layout_forgets_fifteen_subjects_of_a_hundred_or_more(tmp_path: Path) -> None:
    write_faces(tmp_path, subjects=110, images_per_subject=2, layout="kaggle")
    assert {int(row["person_id"]) for row in rows(tmp_path, "forget")} == set(range(1, 16))
    assert min(int(row["person_id"]) for row in rows(tmp_path, "retain")) == 16


def test_kaggle_images_are_the_resized_drawings(kaggle: Path) -> None:
    drawing = portrait(SEED, subject_of(SEED, 4), 2)
    resized = drawing.resize((32, 32), Image.Resampling.BILINEAR)
    with Image.open(kaggle / "images/4/2.png") as image:
        assert np.array_equal(np.asarray(image), np.asarray(resized))
    assert small(drawing).tobytes() == resized.tobytes()


@pytest.mark.parametrize("layout", ["casia-surf", "kaggle"])
def test_same_arguments_give_the_same_bytes_in_any_number_of_processes(tmp_path: Path, layout: str) -> None:
    for name, workers in (("one", 1), ("two", 2)):
        write_faces(tmp_path / name, subjects=SUBJECTS, images_per_subject=2, seed=SEED, layout=layout, workers=workers)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_images_do_not_depend_on_how_many_there_are(tmp_path: Path, casia: Path) -> None:
    write_faces(tmp_path / "fewer", subjects=3, images_per_subject=2, seed=SEED)
    all_files, fewer = files(casia), files(tmp_path / "fewer")
    images = {path: data for path, data in fewer.items() if path.endswith(".jpg")}
    assert len(images) == 6
    assert images.items() <= all_files.items()
    assert all_files["Age_Gender.txt"].startswith(fewer["Age_Gender.txt"])


def test_no_two_images_are_alike_and_another_seed_draws_others(tmp_path: Path, casia: Path) -> None:
    write_faces(tmp_path / "other", subjects=3, images_per_subject=2, seed=SEED + 1)
    images = [data for path, data in (files(casia) | {"-": b""}).items() if path.endswith(".jpg")]
    other = [data for path, data in files(tmp_path / "other").items() if path.endswith(".jpg")]
    assert len({*images, *other}) == len(images) + len(other)


def test_traits_are_the_subjects_and_ages_are_mostly_young() -> None:
    population = [subject_of(SEED, number) for number in range(1, 1001)]
    assert len(set(population)) == 1000
    assert subject_of(SEED, 5) == population[4]
    ages = np.array([subject.age for subject in population])
    counts = np.bincount(age_groups(ages.tolist()), minlength=10)
    assert counts.argmax() == 0 and counts.min() > 0 and counts[0] > 5 * counts[9]
    noise = np.array([subject.visible_age for subject in population]) - ages
    assert abs(noise.mean()) < 0.5 and 3.5 < noise.std() < 4.5
    beards = {subject.gender for subject in population if subject.beard != "none"}
    assert beards == {"M"}


def test_age_groups_are_ten_equal_bins_up_to_the_greatest_age_and_one() -> None:
    assert age_groups([20, 21, 22, 28, 29]) == [0, 1, 2, 8, 9]
    assert age_groups([15, 70, 20, 21]) == [0, 9, 0, 1]  # bins of 5.6 years
    assert age_groups([30, 30]) == [0, 0]


@pytest.mark.parametrize("workers", [1, 2])
def test_interruption_leaves_nothing(tmp_path: Path, workers: int) -> None:
    def interrupt(done: int, total: int) -> None:
        assert 0 < done <= total
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_faces(tmp_path / "faces", subjects=8, images_per_subject=3, workers=workers, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_every_image(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    written = write_faces(
        tmp_path / "faces", subjects=3, images_per_subject=2, progress=lambda done, total: told.append((done, total))
    )
    assert (written, told) == (6, [(2, 6), (4, 6), (6, 6)])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("subjects", 0),
        ("subjects", -1),
        ("subjects", 100_000),
        ("images_per_subject", 0),
        ("images_per_subject", -5),
        ("images_per_subject", 10_000),
        ("seed", -1),
        ("seed", 2**32),
    ],
)
def test_wrong_numbers_are_refused_by_the_option_s_name(tmp_path: Path, option: str, value: int) -> None:
    numbers = {"subjects": 2, "images_per_subject": 2, "seed": 0} | {option: value}
    with pytest.raises(WrongNumber, match=f"--{option.replace('_', '-')} is {value}"):
        write_faces(
            tmp_path / "faces",
            subjects=numbers["subjects"],
            images_per_subject=numbers["images_per_subject"],
            seed=numbers["seed"],
        )
    assert list(tmp_path.iterdir()) == []


def test_unknown_layout_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownLayout, match="casia-surf, kaggle"):
        write_faces(tmp_path / "faces", subjects=2, images_per_subject=2, layout="casia")


@pytest.mark.parametrize(("subjects", "images"), [(1, 50), (2, 1), (3, 3)])
def test_kaggle_layout_refuses_what_cannot_be_split(tmp_path: Path, subjects: int, images: int) -> None:
    with pytest.raises(TooFewImages, match="20 subjects with 10 images"):
        write_faces(tmp_path / "faces", subjects=subjects, images_per_subject=images, layout="kaggle")
    assert list(tmp_path.iterdir()) == []


def test_occupied_places_are_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    before = files(tmp_path)
    for name in ("full", "file"):
        with pytest.raises(OutOccupied, match="not an empty directory"):
            write_faces(tmp_path / name, subjects=2, images_per_subject=1)
    assert files(tmp_path) == before


def test_an_empty_directory_is_filled(tmp_path: Path) -> None:
    assert write_faces(tmp_path, subjects=2, images_per_subject=1) == 2
    assert (tmp_path / "Age_Gender.txt").is_file()


def test_a_place_below_a_file_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(CannotWrite, match="choose another directory"):
        write_faces(tmp_path / "file" / "faces", subjects=2, images_per_subject=1)


def test_command_writes_a_data_set_and_a_contact_sheet(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    arguments = ["--subjects", "12", "--images-per-subject", "7", "--seed", "3", "--contact-sheet", str(sheet)]
    done = CliRunner().invoke(app, ["synthetic-faces", str(tmp_path / "faces"), *arguments, "--json"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert (result["images"], result["subjects"], result["layout"], result["seed"]) == (84, 12, "casia-surf", 3)
    assert result["directory"] == str(tmp_path / "faces")
    assert "Drew 84 of 84 images" in done.stderr
    assert len(list((tmp_path / "faces").rglob("*.jpg"))) == 84
    with Image.open(sheet) as image:
        assert image.size == (8 * 72, 6 * 72)


def test_command_says_how_many_images_are_where(tmp_path: Path) -> None:
    arguments = ["--subjects", "20", "--images-per-subject", "2", "--layout", "kaggle"]
    done = CliRunner().invoke(app, ["synthetic-faces", str(tmp_path / "faces"), *arguments])
    assert (done.exit_code, done.stdout) == (0, f"40 images are in {tmp_path / 'faces'} (kaggle layout).\n")


def test_command_refuses_a_sheet_that_cannot_be_written_before_drawing(tmp_path: Path) -> None:
    arguments = ["--subjects", "2", "--images-per-subject", "1", "--contact-sheet", str(tmp_path / "no" / "sheet.png")]
    done = CliRunner().invoke(app, ["synthetic-faces", str(tmp_path / "faces"), *arguments])
    assert isinstance(done.exception, LetheError)
    assert "--contact-sheet" in done.exception.message
    assert list(tmp_path.iterdir()) == []


def test_command_teaches_its_options() -> None:
    text = CliRunner().invoke(app, ["synthetic-faces", "--help"], env={"COLUMNS": "200"}).stdout
    for word in ("casia-surf", "kaggle", "--images-per-subject", "--contact-sheet", "forget set", "Try:"):
        assert word in text
