"""Checks that an uploaded notebook is valid, without running it."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from services.core.bundle.manifest import Manifest
from services.core.errors import BadInput
from services.core.submission.source import MERGE_CONFLICT, Rejected

__all__ = [
    "ARCHITECTURE",
    "CLASSES",
    "DRY_RUN_CHECKPOINTS",
    "MAX_NOTEBOOK_BYTES",
    "REHEARSAL_CHECKPOINTS",
    "REHEARSAL_S",
    "SHAPE",
    "NotANotebook",
    "NotForNotebooks",
    "check_notebook",
    "notebook_timeout_s",
    "require_notebooks",
    "trial_words",
]

ARCHITECTURE, CLASSES, SHAPE = "resnet18", 10, (3, 32, 32)  # hard-coded in the notebooks of 2023
DRY_RUN_CHECKPOINTS = 10  # number of checkpoints of a notebook that sees `empty.txt`
REHEARSAL_CHECKPOINTS = 2
REHEARSAL_S = 1200.0  # wall clock of a rehearsal, unless the phase allows less

MAX_NOTEBOOK_BYTES = 20 * 1024**2
MAX_CELLS = 5000
FORMAT = 4
PYTHON_NAMES = frozenset({"python", "python3", "ipython"})
REMEDY = "Save it again in Jupyter or on Kaggle as a Python notebook in format 4."


class NotANotebook(Rejected):
    code = "not_a_notebook"


class NotForNotebooks(BadInput):
    """A benchmark that does not fit the directory layout of 2023."""

    code = "not_for_notebooks"


class _Cell(BaseModel):
    cell_type: Literal["code", "markdown", "raw"]
    source: str | list[str]


class _Notebook(BaseModel):
    nbformat: Annotated[int, Field(ge=FORMAT, le=FORMAT)]
    cells: list[_Cell] = Field(max_length=MAX_CELLS)
    metadata: dict[str, Any] = {}


def require_notebooks(manifest: Manifest) -> None:
    """Raise NotForNotebooks unless a benchmark has what notebooks need: ResNet-18, 3x32x32 images, 10 classes."""
    if (manifest.architecture, manifest.classes, tuple(manifest.input_shape)) != (ARCHITECTURE, CLASSES, SHAPE):
        raise NotForNotebooks(
            f"Notebooks cannot run on {manifest.name}; they need torchvision's ResNet-18 on 3x32x32 images of "
            "10 classes. Use faces-resnet18, or accept modules only."
        )


def check_notebook(data: bytes, filename: str) -> None:
    """Check that a file is a Python notebook with some code. Raises NotANotebook, which names the problem."""
    if len(data) > MAX_NOTEBOOK_BYTES:
        raise NotANotebook(
            f"{filename} is {len(data):,} bytes; the limit for a notebook is {MAX_NOTEBOOK_BYTES:,} bytes.",
            "Clear its outputs.",
        )
    content = _parsed(data, filename)
    number = content.get("nbformat")
    if isinstance(number, int) and number != FORMAT:
        raise NotANotebook(f"{filename} is a notebook of format {number}; Lethe runs format {FORMAT}.", REMEDY)
    try:
        notebook = _Notebook.model_validate(content)
    except ValidationError as error:
        raise NotANotebook(f"{filename} is not a valid notebook: {_told(error)}.", REMEDY) from error
    if language := _other_language(notebook.metadata):
        raise NotANotebook(f"{filename} is written in {language[:50]!r}, not Python.", REMEDY)
    if not any(cell.cell_type == "code" and "".join(cell.source).strip() for cell in notebook.cells):
        raise NotANotebook(f"{filename} has no code cells.", "Upload the notebook that writes submission.zip.")


def _parsed(data: bytes, filename: str) -> dict[str, Any]:
    """Read JSON. Raises NotANotebook, which says what there is instead, and where."""
    try:
        content = json.loads(data)
    except json.JSONDecodeError as error:
        line = error.doc.splitlines()[error.lineno - 1 : error.lineno]
        if line and MERGE_CONFLICT.match(line[0]):
            problem, remedy = f"line {error.lineno} is a mark of a merge conflict", "Resolve the conflict."
            raise NotANotebook(f"{filename}: {problem}.", remedy) from error
        what = "is empty" if not error.doc.strip() else f"is not valid JSON in line {error.lineno}: {error.msg}"
        raise NotANotebook(f"{filename} is not a notebook: it {what}.", REMEDY) from error
    except (ValueError, RecursionError) as error:
        raise NotANotebook(f"{filename} is not a notebook: it is not valid JSON.", REMEDY) from error
    if not isinstance(content, dict):
        raise NotANotebook(f"{filename} is not a notebook: it is JSON of something else.", REMEDY)
    return content


def _told(error: ValidationError) -> str:
    """Say what is wrong first, with the number of the cell counted from 1, as everywhere."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    if place[:1] == ["cells"] and len(place) > 1 and place[1].isdigit():
        place[:2] = [f"cell {int(place[1]) + 1}"]
    return f"{': '.join(place)}: {first['msg']}"


def _other_language(metadata: dict[str, Any]) -> str | None:
    """Return the language of a notebook that is not Python. What it does not tell is Python."""
    for key, name in (("kernelspec", "language"), ("language_info", "name")):
        told = metadata.get(key)
        language = told.get(name) if isinstance(told, dict) else None
        if language and str(language).casefold() not in PYTHON_NAMES:
            return str(language)
    return None


def notebook_timeout_s(allowed_s: float, *, rehearsed: bool) -> float:
    """Return the wall-clock limit of a notebook, in seconds, by what its phase allows."""
    return min(allowed_s, REHEARSAL_S) if rehearsed else allowed_s


def trial_words(*, rehearsed: bool, checkpoints: int, unlearned: bool) -> str:
    """Tell the success of a trial as what it is: of a dry run, or of a rehearsal that made so many checkpoints."""
    if rehearsed:
        made, each = ("1 checkpoint", "it") if checkpoints == 1 else (f"{checkpoints} checkpoints", "all")
        return f"The notebook made {made} and {'both' if checkpoints == 2 else each} can be measured."
    if unlearned:
        return "The notebook ran to its end and left a submission.zip."
    return (
        "The notebook ran to its end, but its submission.zip holds no checkpoints: nothing was unlearned. "
        "Rehearse it with `lethe notebook run --rehearse`."
    )
