"""Checks that an uploaded notebook is valid, without running it."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from services.core.bundle.manifest import Manifest
from services.core.errors import BadInput
from services.core.submission.source import Rejected

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
    nbformat: Annotated[int, Field(ge=4, le=4)]
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
    try:
        notebook = _Notebook.model_validate(json.loads(data))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise NotANotebook(f"{filename} is not a valid notebook: {where}: {first['msg']}.", REMEDY) from error
    except (ValueError, RecursionError) as error:
        raise NotANotebook(f"{filename} is not a notebook: it is not valid JSON.", REMEDY) from error
    kernel = notebook.metadata.get("kernelspec")
    language = kernel.get("language", "python") if isinstance(kernel, dict) else "python"
    if language != "python":
        raise NotANotebook(f"{filename} is written in {str(language)[:50]!r}, not Python.", REMEDY)
    if not any(cell.cell_type == "code" and "".join(cell.source).strip() for cell in notebook.cells):
        raise NotANotebook(f"{filename} has no code cells.", "Upload the notebook that writes submission.zip.")


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
