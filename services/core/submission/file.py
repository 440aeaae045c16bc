"""A submission as a file: the kinds that may be uploaded, the check without running it, the layout for a sandbox."""

import ast
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from services.core.models import SubmissionKind
from services.core.submission.archive import Archive, ArchiveTooLarge, BadArchive
from services.core.submission.certificate import Claim, claim_in
from services.core.submission.notebook import check_notebook
from services.core.submission.source import (
    MAX_SOURCE_BYTES,
    NoUnlearning,
    Rejected,
    check_source,
    definition_of,
)

__all__ = ["ENTRY_POINT", "Checked", "UnsupportedFile", "check", "kind_of", "unpack"]

ENTRY_POINT, NOTEBOOK = "submission.py", "notebook.ipynb"
MAX_TOP_SOURCE_BYTES = 2 * MAX_SOURCE_BYTES  # for the modules at an archive's top together, because all are parsed


class UnsupportedFile(Rejected):
    code = "unsupported_file"


@dataclass(frozen=True, slots=True)
class Checked:
    """The kind of a valid submission and the certificate that it claims; notebooks claim none."""

    kind: SubmissionKind
    claim: Claim | None


def check(filename: str, data: bytes) -> Checked:
    """Tell a submission's kind and claim. Raises Rejected, with a remedy, if the file cannot be a submission."""
    kind = kind_of(filename)
    if kind is SubmissionKind.NOTEBOOK:
        check_notebook(data, filename)
        return Checked(kind, None)
    if kind is SubmissionKind.MODULE:
        check_source(data, filename)
        return Checked(kind, claim_in(data, filename))
    archive = Archive(data)
    entry, source = _entry(archive)
    claim = claim_in(source, entry.name)
    for path in archive.paths:
        archive.read(path)
    return Checked(kind, claim)


def unpack(filename: str, data: bytes, destination: Path) -> None:
    """Lay a submission out in a directory: its module at `submission.py`, or its notebook at `notebook.ipynb`.

    Raises Rejected as `check` does.
    """
    kind = kind_of(filename)
    if kind is not SubmissionKind.ARCHIVE:
        (destination / (ENTRY_POINT if kind is SubmissionKind.MODULE else NOTEBOOK)).write_bytes(data)
        return
    archive = Archive(data)
    _, source = _entry(archive)
    for path in archive.paths:
        target = destination / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(archive.read(path))
    (destination / ENTRY_POINT).write_bytes(source)


def kind_of(filename: str) -> SubmissionKind:
    """Tell a submission's kind by its file name. Raises Rejected if no kind has such a name."""
    suffix = PurePosixPath(filename).suffix.lower()
    if suffix == ".py":
        return SubmissionKind.MODULE
    if suffix == ".zip":
        return SubmissionKind.ARCHIVE
    if suffix == ".ipynb":
        return SubmissionKind.NOTEBOOK
    raise UnsupportedFile(f"{filename!r} is not a supported file type.", "Upload a .py, a .zip or an .ipynb file.")


def _entry(archive: Archive) -> tuple[PurePosixPath, bytes]:
    """Find and read the one module at the top that defines `unlearning`; `submission.py` wins over all others."""
    modules = {path: archive.read(path) for path in _top_modules(archive)}
    main = PurePosixPath(ENTRY_POINT)
    if any(main in path.parents for path in archive.paths):
        raise BadArchive(f"{ENTRY_POINT} is a folder in the archive.", "Rename the folder.")
    if main in modules:
        if not isinstance(definition_of(modules[main], ENTRY_POINT), ast.ImportFrom):
            check_source(modules[main], ENTRY_POINT)
        return main, modules[main]
    defining = [
        path
        for path, source in modules.items()
        if isinstance(definition_of(source, path.name), ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    if not defining:
        raise NoUnlearning(
            "No module at the top of the archive defines a function `unlearning`.",
            f"Put {ENTRY_POINT} at the top, with `def unlearning(net, retain_loader, forget_loader, val_loader):`.",
        )
    if len(defining) > 1:
        names = ", ".join(sorted(path.name for path in defining))
        raise BadArchive(f"{names} all define `unlearning`.", f"Rename the one to run to {ENTRY_POINT}.")
    (entry,) = defining
    check_source(modules[entry], entry.name)
    return entry, modules[entry]


def _top_modules(archive: Archive) -> list[PurePosixPath]:
    paths = [path for path in archive.paths if len(path.parts) == 1 and path.suffix == ".py"]
    if archive.size_bytes(paths) > MAX_TOP_SOURCE_BYTES:
        raise ArchiveTooLarge(
            f"The modules at the top of the archive are larger than {MAX_TOP_SOURCE_BYTES:,} bytes.",
            "Move modules that the entry point does not need directly into folders.",
        )
    return paths
