"""Follows what a submission imports, from its entry point through its own modules, without running any of it."""

import ast
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from services.core.submission.source import MAX_SOURCE_BYTES, Rejected, Sources, is_never_true, parse

__all__ = [
    "Imported",
    "RelativeImport",
    "imported_names",
    "needed",
    "origin_of",
    "own_modules",
    "top_names",
    "unconditional",
]

MAX_FOLLOWED_BYTES = 2 * MAX_SOURCE_BYTES  # of the modules that are read for what they import, one after the other
# Modules that come with one package and need another one.
NEED_MORE = {"torch.utils.tensorboard": "tensorboard", "torch.utils.tensorboard.writer": "tensorboard"}


class RelativeImport(Rejected):
    code = "relative_import"


@dataclass(frozen=True, slots=True)
class Imported:
    """The first part of a name that a module imports, and the place."""

    name: str
    file: str
    line: int
    at_once: bool  # while the entry point itself is imported, so that the run cannot do without it


def own_modules(entry: PurePosixPath, sources: Sources) -> Iterator[tuple[PurePosixPath, ast.Module]]:
    """Yield the entry point and every module of its own that an import leads to, each with its tree.

    Imports that need not succeed are not followed: those in `if` and in a `try` that catches. Raises NotPython, and
    RelativeImport for a relative import that leaves the archive's top, because the top is no package.
    """
    waiting, seen, followed = [entry], {entry}, 0
    while waiting:
        path = waiting.pop(0)
        source = sources.read(path)
        followed += len(source)
        if path != entry and (len(source) > MAX_SOURCE_BYTES or followed > MAX_FOLLOWED_BYTES):
            continue
        module = parse(source, str(path), sources.python)
        yield path, module
        for statement in _imports(module):
            for parts in _modules_named(statement, path):
                for found in _files_of(parts):
                    if found in sources.paths and found not in seen:
                        seen.add(found)
                        waiting.append(found)


def origin_of(
    statement: ast.ImportFrom, name: str, path: PurePosixPath, paths: Collection[PurePosixPath]
) -> tuple[PurePosixPath, str] | None:
    """Return the own module that an import takes a name from, and the name there; None if it is not an own module."""
    *_, package, module = _files_of(next(_modules_named(statement, path)))
    there = next((alias.name for alias in statement.names if (alias.asname or alias.name) == name), None)
    place = next((one for one in (package, module) if one in paths), None)
    return None if place is None or there is None else (place, there)


def imported_names(entry: PurePosixPath, sources: Sources) -> list[Imported]:
    """List what a submission must find installed: neither its own modules nor the standard library, each name once.

    Raises what `own_modules` does.
    """
    found: dict[str, Imported] = {}
    for path, module in own_modules(entry, sources):
        for one in needed(path, module, sources.paths, is_entry=path == entry):
            found.setdefault(one.name, one)
    return list(found.values())


def needed(
    path: PurePosixPath, module: ast.Module, paths: Collection[PurePosixPath], *, is_entry: bool
) -> Iterator[Imported]:
    """Yield what one module must find installed."""
    own = {one.parts[0].removesuffix(".py") for one in paths if one.suffix == ".py"}
    for statement in _imports(module):
        for name in top_names(statement):
            if name not in own:
                yield Imported(name, str(path), statement.lineno, at_once=is_entry and statement in module.body)


def top_names(statement: ast.stmt) -> list[str]:
    """List the packages that a statement imports, without the standard library's and its own."""
    names: list[str] = []
    if isinstance(statement, ast.Import):
        names = [alias.name for alias in statement.names]
    elif isinstance(statement, ast.ImportFrom) and not statement.level and statement.module:
        inner = [f"{statement.module}.{alias.name}" for alias in statement.names]
        names = [statement.module, *(name for name in inner if name in NEED_MORE)]
    packages = (NEED_MORE.get(name) or name.partition(".")[0] for name in names)
    return [name for name in packages if name not in sys.stdlib_module_names]


def unconditional(module: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements of a module, its functions and classes that no `if`, `match` or catching `try` guards."""
    waiting: list[ast.stmt] = module.body[::-1]
    while waiting:
        statement = waiting.pop()
        yield statement
        waiting += _unguarded(statement)[::-1]


def _unguarded(statement: ast.stmt) -> list[ast.stmt]:
    match statement:
        case ast.If():
            return statement.orelse if is_never_true(statement.test) else []
        case ast.Try() | ast.TryStar():
            return [*([] if statement.handlers else [*statement.body, *statement.orelse]), *statement.finalbody]
        case ast.Match():
            return []
        case _:
            return getattr(statement, "body", [])


def _imports(module: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    for statement in unconditional(module):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement


def _modules_named(statement: ast.Import | ast.ImportFrom, path: PurePosixPath) -> Iterator[tuple[str, ...]]:
    """Yield the full names of all modules that an import may load. Raises RelativeImport."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            yield tuple(alias.name.split("."))
        return
    folders = path.parent.parts
    if statement.level > len(folders):
        dots = "." * statement.level
        wanted = f"from {dots}{statement.module or ''} import {statement.names[0].name}"
        raise RelativeImport(
            f"{path}, line {statement.lineno}: `{wanted}` leaves the top of the submission, which is no package.",
            f"Write `{wanted.replace(dots, '', 1) if statement.module else f'import {statement.names[0].name}'}`.",
        )
    package = folders[: len(folders) + 1 - statement.level] if statement.level else ()
    base = (*package, *(statement.module.split(".") if statement.module else ()))
    yield base
    for alias in statement.names:
        yield (*base, alias.name)


def _files_of(parts: tuple[str, ...]) -> Iterator[PurePosixPath]:
    """Yield the files that an import of a dotted name runs: of every package on the way, and of the module."""
    for length in range(1, len(parts) + 1):
        folder = PurePosixPath(*parts[:length])
        yield folder / "__init__.py"
        yield folder.with_name(f"{folder.name}.py")
