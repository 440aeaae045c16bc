"""A submission as a file: the kinds that may be uploaded, the check without running it, the layout for a sandbox."""

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from services.core.models import SubmissionKind
from services.core.submission.archive import Archive, ArchiveTooLarge, BadArchive
from services.core.submission.binding import (
    FUNCTION,
    SIGNATURE,
    NoUnlearning,
    bindings,
    found_instead,
    require_callable,
)
from services.core.submission.cautions import compilations, gpu_calls, may_compile, may_need_gpu
from services.core.submission.cells import cell_imports
from services.core.submission.certificate import Claim, claim_of
from services.core.submission.imports import Imported, needed, origin_of, own_modules
from services.core.submission.notebook import check_notebook
from services.core.submission.source import MAX_SOURCE_BYTES, UNTOLD_PYTHON, NotPython, Python, Rejected, Sources

__all__ = ["ENTRY_POINT", "CheckedSubmission", "UnsupportedFile", "check", "kind_of", "unpack"]

ENTRY_POINT, NOTEBOOK = "submission.py", "notebook.ipynb"
MAX_TOP_SOURCE_BYTES = 2 * MAX_SOURCE_BYTES  # for the modules at an archive's top together, because all are parsed


MAX_HOPS = 3  # from module to module, on the way of an import of `unlearning` to its definition
MAX_NAMED = 3
DEFINES = re.compile(rb"^\s*def\s+unlearning\b", re.MULTILINE)


class UnsupportedFile(Rejected):
    code = "unsupported_file"


@dataclass(frozen=True, slots=True)
class CheckedSubmission:
    """The kind of a valid submission and the certificate that it claims; notebooks claim none."""

    kind: SubmissionKind
    claim: Claim | None
    gpu_calls: tuple[str, ...] = ()  # places that need a GPU, in words
    compiled: tuple[str, ...] = ()  # places that need a C++ compiler, in words
    imports: tuple[Imported, ...] = ()  # what must be installed in the sandbox


def check(filename: str, data: bytes, python: Python = UNTOLD_PYTHON) -> CheckedSubmission:
    """Tell the kind and claim of a submission that a version of Python will run.

    Raises Rejected, with a remedy, if the file cannot be a submission.
    """
    kind = kind_of(filename)
    if kind is SubmissionKind.NOTEBOOK:
        check_notebook(data, filename)
        return CheckedSubmission(kind, None, imports=tuple(cell_imports(data, PurePosixPath(filename).name, python)))
    if kind is SubmissionKind.MODULE:
        entry = PurePosixPath(PurePosixPath(filename).name)
        return _check_modules(kind, entry, Sources({entry}, lambda _: data, python))
    archive = Archive(data)
    sources = Sources(frozenset(archive.paths), archive.read, python)
    checked = _check_modules(kind, _entry(archive, sources), sources)
    for path in archive.paths:
        archive.read(path)
    return checked


def unpack(filename: str, data: bytes, destination: Path, python: Python = UNTOLD_PYTHON) -> None:
    """Lay a submission out in a directory: its module at `submission.py`, or its notebook at `notebook.ipynb`.

    Which module of an archive is the one to run may depend on the Python. Raises Rejected as `check` does.
    """
    kind = kind_of(filename)
    if kind is not SubmissionKind.ARCHIVE:
        (destination / (ENTRY_POINT if kind is SubmissionKind.MODULE else NOTEBOOK)).write_bytes(data)
        return
    archive = Archive(data)
    source = archive.read(_entry(archive, Sources(archive.paths, archive.read, python)))
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


def _check_modules(kind: SubmissionKind, entry: PurePosixPath, sources: Sources) -> CheckedSubmission:
    claim: Claim | None = None
    calls: list[str] = []
    compiled: list[str] = []
    imports: list[Imported] = []
    for path, module in own_modules(entry, sources):
        if path == entry:
            found = require_callable(module, entry.name)
            if isinstance(found, ast.ImportFrom) and kind is SubmissionKind.MODULE:
                raise _not_brought(found, entry.name)
            if isinstance(found, ast.ImportFrom):
                _require_behind(found, entry, sources)
            claim = claim_of(module, entry.name)
        imports += needed(path, module, sources.paths, is_entry=path == entry)
        if may_need_gpu(sources.read(path)):
            calls += gpu_calls(module, str(path))
        if may_compile(sources.read(path)):
            compiled += compilations(module, str(path))
    return CheckedSubmission(kind, claim, tuple(calls), tuple(compiled), tuple(imports))


def _not_brought(found: ast.ImportFrom, filename: str) -> NoUnlearning:
    """Refuse a lone module that takes `unlearning` from another, which nobody uploaded."""
    return NoUnlearning(
        f"{filename}, line {found.lineno} takes `{FUNCTION}` from `{'.' * found.level}{found.module or ''}`, "
        "which a single file does not bring.",
        "Upload a .zip with both.",
    )


def _require_behind(found: ast.ImportFrom, path: PurePosixPath, sources: Sources) -> None:
    """Follow an import of `unlearning` to its definition, in the submission's own modules.

    Raises NoUnlearning or WrongArity.
    """
    name = FUNCTION
    for _ in range(MAX_HOPS):
        place = origin_of(found, name, path, sources.paths)
        if place is None or len(sources.read(place[0])) > MAX_SOURCE_BYTES:
            return
        path, name = place
        behind = require_callable(sources.tree(path), str(path), name)
        if not isinstance(behind, ast.ImportFrom):
            return
        found = behind


def _entry(archive: Archive, sources: Sources) -> PurePosixPath:
    """Find the one module at the top that defines `unlearning`; `submission.py` wins over all others."""
    modules = _top_modules(archive)
    main = PurePosixPath(ENTRY_POINT)
    if any(main in path.parents for path in archive.paths):
        raise BadArchive(f"{ENTRY_POINT} is a folder in the archive.", "Rename the folder.")
    if main in modules:
        return main
    defining: list[PurePosixPath] = []
    binding: list[PurePosixPath] = []  # which take it from elsewhere
    broken: NotPython | None = None
    for path in modules:
        try:
            found = bindings(sources.tree(path)).get(FUNCTION)
        except NotPython as error:  # which harms nothing if another module is the one to run, and does not import it
            broken = broken or error
            continue
        if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef):
            defining.append(path)
        elif found is not None:
            binding.append(path)
    candidates = defining or binding
    if broken and not candidates:
        raise broken
    if not candidates:
        raise _no_entry(archive, sources, modules)
    if len(candidates) > 1:
        names = ", ".join(sorted(path.name for path in candidates))
        raise BadArchive(f"{names} all define `unlearning`.", f"Rename the one to run to {ENTRY_POINT}.")
    return candidates[0]


def _no_entry(archive: Archive, sources: Sources, modules: Collection[PurePosixPath]) -> NoUnlearning:
    """Say what an archive has in place of a module to run."""
    at_top = f"Put {ENTRY_POINT} at the top, with `def {SIGNATURE}:`."
    if not archive.paths:
        return NoUnlearning("The archive holds no files to run.", at_top)
    deeper = [path for path in archive.paths if path.suffix == ".py" and path not in modules]
    seen = [path for path in deeper if path.name == ENTRY_POINT] or [
        path for path in deeper if DEFINES.search(archive.read(path))
    ]
    if seen:
        places = ", ".join(repr(str(path)) for path in seen[:MAX_NAMED])
        return NoUnlearning(
            f"No module at the top of the archive defines a function `unlearning`; {places} is in a folder.",
            f"Pack the contents of {str(seen[0].parent)!r}, so that {seen[0].name} is at the top.",
        )
    for suffix, remedy in ((".zip", "Upload it, or its contents"), (".ipynb", "Upload it alone")):
        if inner := next((path for path in archive.paths if path.suffix.lower() == suffix), None):
            return NoUnlearning(f"The archive holds {str(inner)!r} and no module to run.", f"{remedy}. {at_top}")
    if not modules:
        names = ", ".join(repr(str(path)) for path in archive.paths[:MAX_NAMED])
        return NoUnlearning(f"The archive holds no .py file at its top; it has {names}.", at_top)
    instead = "".join(f" {path.name}:{found}" for path in modules if (found := found_instead(sources.tree(path))))
    return NoUnlearning(f"No module at the top of the archive defines a function `unlearning`.{instead}", at_top)


def _top_modules(archive: Archive) -> list[PurePosixPath]:
    paths = [path for path in archive.paths if len(path.parts) == 1 and path.suffix.lower() == ".py"]
    if archive.size_bytes(paths) > MAX_TOP_SOURCE_BYTES:
        raise ArchiveTooLarge(
            f"The modules at the top of the archive are larger than {MAX_TOP_SOURCE_BYTES:,} bytes.",
            "Move modules that the entry point does not need directly into folders.",
        )
    return paths
