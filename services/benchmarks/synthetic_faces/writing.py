"""Draws a whole dataset on all cores beside its destination, and moves it there when it is complete."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from PIL import Image

from services.benchmarks.synthetic_faces.drawing import SIDE, portrait
from services.benchmarks.synthetic_faces.layouts import LAYOUTS
from services.benchmarks.synthetic_faces.population import InventedPerson, subject_of
from services.core.errors import BadInput, Conflict, Unavailable

__all__ = ["CannotWrite", "OutOccupied", "UnknownLayout", "WrongNumber", "contact_sheet", "write_faces"]

MAX_SUBJECTS, MAX_IMAGES = 99_999, 9_999  # bounded by the digits in file names
MAX_SEED = 2**32 - 1  # one word of a generator's seed; longer seeds could equal another subject's
WORTH_A_PROCESS = 500  # images per process, because a process takes about 1 s to start
SHEET_COLUMNS, SHEET_ROWS, SHEET_SIDE, SHEET_COLOURS = 8, 6, 72, 128

Progress = Callable[[int, int], None]  # images done, total number of images


class UnknownLayout(BadInput):
    code = "unknown_layout"


class WrongNumber(BadInput):
    code = "wrong_number"


class OutOccupied(Conflict):
    code = "out_occupied"


class CannotWrite(Unavailable):
    code = "cannot_write"


def write_faces(
    out: Path,
    *,
    subjects: int,
    images_per_subject: int,
    seed: int = 0,
    layout: str = "casia-surf",
    workers: int | None = None,
    progress: Progress = lambda *_: None,
) -> int:
    """Draw a dataset into `out`, which must be absent or empty; return the number of images.

    If it fails or `progress` raises, it leaves at most new parent directories. Raises WrongNumber, UnknownLayout,
    TooFewImages, OutOccupied or CannotWrite.
    """
    _check_numbers(subjects, images_per_subject, seed)
    if layout not in LAYOUTS:
        raise UnknownLayout(f"There is no layout {layout}. Choose one with --layout: {', '.join(sorted(LAYOUTS))}.")
    LAYOUTS[layout].check(subjects, images_per_subject)
    out = out.resolve()
    _check_free(out)
    people = [subject_of(seed, number) for number in range(1, subjects + 1)]
    partial = out.with_name(f"{out.name}.partial-{os.getpid()}")
    try:
        partial.mkdir(parents=True)
        done = 0
        for count in _draw_all(partial, layout, seed, people, images_per_subject, workers=workers):
            done += count
            progress(done, subjects * images_per_subject)
        LAYOUTS[layout].finish(partial, people, images_per_subject)
        if out.exists():
            out.rmdir()
        partial.rename(out)
    except OSError as error:
        raise CannotWrite(
            f"{out} cannot be written: {error.strerror}. Free some space, or choose another directory."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return done


def contact_sheet(path: Path, *, subjects: int, images_per_subject: int, seed: int = 0) -> None:
    """Write a PNG with up to 8 subjects of the dataset, from the youngest to the oldest, with up to 6 images each."""
    people = sorted((subject_of(seed, number) for number in range(1, subjects + 1)), key=lambda subject: subject.age)
    columns, rows = min(SHEET_COLUMNS, subjects), min(SHEET_ROWS, images_per_subject)
    sheet = Image.new("RGB", (columns * SIDE, rows * SIDE))
    for column in range(columns):
        subject = people[column * (subjects - 1) // max(1, columns - 1)]
        for row in range(rows):
            sheet.paste(portrait(seed, subject, row + 1), (column * SIDE, row * SIDE))
    smaller = sheet.resize((columns * SHEET_SIDE, rows * SHEET_SIDE), Image.Resampling.BILINEAR)
    try:
        smaller.quantize(SHEET_COLOURS).save(path, format="PNG", optimize=True)
    except OSError as error:
        raise CannotWrite(
            f"{path} cannot be written: {error.strerror}. Choose another file for --contact-sheet."
        ) from error


def _check_numbers(subjects: int, images: int, seed: int) -> None:
    for option, value, least, most in (
        ("--subjects", subjects, 1, MAX_SUBJECTS),
        ("--images-per-subject", images, 1, MAX_IMAGES),
        ("--seed", seed, 0, MAX_SEED),
    ):
        if not least <= value <= most:
            raise WrongNumber(f"{option} is {value}. Give a number from {least} to {most}.")


def _check_free(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutOccupied(f"{out} exists and is not an empty directory. Delete it, or choose another directory.")


def _draw_all(
    root: Path, layout: str, seed: int, people: list[InventedPerson], images: int, *, workers: int | None
) -> Iterator[int]:
    """Draw every subject; yield the number of images of each."""
    worth = len(people) * images // WORTH_A_PROCESS
    workers = workers or max(1, min(os.cpu_count() or 1, worth, len(people)))
    if workers == 1:
        for subject in people:
            yield _draw_subject(root, layout, seed, subject, images)
        return
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_leave_interrupts_to_the_parent)
    try:
        futures = [pool.submit(_draw_subject, root, layout, seed, subject, images) for subject in people]
        for future in as_completed(futures):
            yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)  # else a process could still write while the directory is deleted


def _draw_subject(root: Path, layout: str, seed: int, subject: InventedPerson, images: int) -> int:
    for number in range(1, images + 1):
        LAYOUTS[layout].write_image(root, subject, number, portrait(seed, subject, number))
    return images


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
