"""`lethe data …`: reading and checking datasets, and making a synthetic one."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.console import milestone, print_json, progress, say

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Check datasets, and make a synthetic one.")
MILESTONES = 4


@app.command()
def inspect(
    name: Annotated[str, typer.Argument(help="The dataset: digits, mnist, cifar10, cifar100 or casia-surf.")],
    data: Annotated[Path | None, typer.Option(help="The directory that holds its files.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Read a dataset, check its files, and say what is in it. An error names the file and where to get it."""
    from services.benchmarks.datasets.registry import read_dataset
    from services.core.settings import load_settings

    settings = load_settings()
    with progress() as bars:
        found = read_dataset(name, data, cache=settings.make_data_dir() / "datasets", progress=_reading(bars))
    shown = {
        "name": found.name,
        "licence": found.licence,
        "images": len(found.labels),
        "shape": list(found.images.shape[1:]),
        "classes": found.classes,
        "per_class": [int((found.labels == label).sum()) for label in range(found.classes)],
        "subjects": None if found.subjects is None else len(set(found.subjects.tolist())),
        "notes": list(found.notes),
        "superclasses": None if found.superclasses is None else len(set(found.superclasses.tolist())),
    }
    if as_json:
        print_json(shown)
        return
    for key, value in shown.items():
        if key != "notes" and value is not None:
            typer.echo(f"{key.replace('_', ' '):<14}{value}")
    for note in found.notes:
        typer.echo(f"note: {note}")


@app.command("synthetic-faces")
def synthetic_faces(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The directory to create; it must be absent or empty.")],
    subjects: Annotated[int, typer.Option(help="Invented people. 200 or more fill every age group.")] = 300,
    images_per_subject: Annotated[int, typer.Option(help="Images of each person.")] = 20,
    seed: Annotated[int, typer.Option(help="Another seed draws other people; the same seed draws the same bytes.")] = 0,
    layout: Annotated[
        str, typer.Option(help="casia-surf: JPEG 96x96 and Age_Gender.txt. kaggle: PNG 32x32, split, tables.")
    ] = "casia-surf",
    sheet: Annotated[
        Path | None, typer.Option("--contact-sheet", help="Also write a PNG that shows 6 images of 8 subjects.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Draw faces of invented people whose age can be guessed, a free stand-in for CASIA-SURF.

    Every person has fixed traits; every image has its own pose, expression and light. The task is to tell the
    age group. In the kaggle layout, the images of the first 15 people are the forget set.

    Try: lethe data synthetic-faces faces --subjects 300 --layout kaggle
    """
    from services.benchmarks.synthetic_faces import CannotWrite, contact_sheet, write_faces

    if sheet is not None and not sheet.parent.is_dir():
        raise CannotWrite(f"There is no directory {sheet.parent}. Create it, or choose another --contact-sheet.")
    start = perf_counter()
    with progress() as bars:
        images = write_faces(
            out,
            subjects=subjects,
            images_per_subject=images_per_subject,
            seed=seed,
            layout=layout,
            progress=_drawing(bars),
        )
    seconds = perf_counter() - start
    if sheet is not None:
        contact_sheet(sheet, subjects=subjects, images_per_subject=images_per_subject, seed=seed)
    say(f"Drew {images} images of {subjects} subjects in {seconds:.1f} s ({images / seconds:.0f} images/s).")
    if as_json:
        print_json(
            {
                "directory": str(out.resolve()),
                "layout": layout,
                "subjects": subjects,
                "images": images,
                "seed": seed,
                "contact_sheet": None if sheet is None else str(sheet.resolve()),
                "seconds": seconds,
            }
        )
    else:
        typer.echo(f"{images} images are in {out} ({layout} layout).")


def _reading(bars: "Progress") -> Callable[[int, int], None]:
    task = bars.add_task("Reading images", total=None)
    return lambda done, total: bars.update(task, completed=done, total=total)


def _drawing(bars: "Progress") -> Callable[[int, int], None]:
    task = bars.add_task("Drawing faces", total=None)
    told = 0

    def advance(done: int, total: int) -> None:
        nonlocal told
        bars.update(task, completed=done, total=total)
        if done * MILESTONES // total > told:
            told = done * MILESTONES // total
            milestone(f"Drew {done} of {total} images")

    return advance
