"""Checks the source of a submission by its syntax tree. Nothing here compiles or runs it.

The size limit keeps parsing cheap: the densest source costs CPython about 1 KB of memory and 3 us per byte.
"""

import ast
import threading
import warnings
from collections.abc import Iterator

from services.core.errors import BadInput

__all__ = [
    "MAX_SOURCE_BYTES",
    "NoUnlearning",
    "NotPython",
    "Rejected",
    "WrongArity",
    "check_source",
    "definition_of",
    "last_assignment",
]

FUNCTION = "unlearning"
SIGNATURE = "unlearning(net, retain_loader, forget_loader, val_loader)"
PARAMETERS = 4
MAX_SOURCE_BYTES = 256 * 1024

_warnings_lock = threading.Lock()  # warning filters belong to the process, not to a thread

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ImportFrom


class Rejected(BadInput):
    """An upload that cannot be a submission. It costs no quota."""

    code = "rejected"

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}", remedy=remedy)


class NotPython(Rejected):
    code = "not_python"


class NoUnlearning(Rejected):
    code = "no_unlearning"


class WrongArity(Rejected):
    code = "wrong_arity"


def check_source(source: bytes, filename: str) -> None:
    """Check that a module defines `unlearning` with four positional arguments. Raises Rejected, naming the problem."""
    found = definition_of(source, filename)
    if found is None or isinstance(found, ast.ImportFrom):
        raise NoUnlearning(f"{filename} does not define a top-level function `{FUNCTION}`.", f"Add `def {SIGNATURE}:`.")
    _check_arity(found, filename)


def definition_of(source: bytes, filename: str) -> Definition | None:
    """Return the function or import that binds `unlearning` last at the top level. Raises NotPython."""
    found: Definition | None = None
    for statement in _top_level(_parse(source, filename)):
        if isinstance(statement, Definition) and FUNCTION in _names(statement):
            found = statement
    return found


def last_assignment(source: bytes, filename: str, name: str) -> ast.expr | None:
    """Return the last value that the top level assigns to a name; None if it never does. Raises NotPython."""
    found: ast.expr | None = None
    for statement in _top_level(_parse(source, filename)):
        targets: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            assert isinstance(statement, ast.Assign | ast.AnnAssign)
            found = statement.value
    return found


def _names(statement: Definition) -> list[str]:
    if isinstance(statement, ast.ImportFrom):
        return [alias.asname or alias.name for alias in statement.names]
    return [statement.name]


def _parse(source: bytes, filename: str) -> ast.Module:
    if len(source) > MAX_SOURCE_BYTES:
        raise NotPython(
            f"{filename} is {len(source):,} bytes; the limit for a module is {MAX_SOURCE_BYTES:,} bytes.",
            "Move data into separate files and upload a .zip.",
        )
    try:
        with _warnings_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as an invalid escape, which is not our concern
            return ast.parse(source)
    except SyntaxError as error:
        where = f", line {error.lineno}" if error.lineno else ""
        raise NotPython(f"{filename}{where} does not parse: {error.msg}.", "Fix it and upload it again.") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise NotPython(
            f"{filename} does not parse: it contains null bytes or is nested too deeply.",
            "Simplify it and upload it again.",
        ) from error


def _top_level(module: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements that run at import, in order, including those in `if`, `try` and `with` blocks."""
    waiting: list[ast.stmt] = module.body[::-1]
    while waiting:
        statement = waiting.pop()
        yield statement
        if isinstance(statement, ast.If | ast.Try | ast.TryStar | ast.With):
            waiting += _blocks(statement)[::-1]


def _blocks(statement: ast.If | ast.Try | ast.TryStar | ast.With) -> list[ast.stmt]:
    inner = list(statement.body)
    if isinstance(statement, ast.Try | ast.TryStar):
        for handler in statement.handlers:
            inner += handler.body
    if not isinstance(statement, ast.With):
        inner += statement.orelse
    if isinstance(statement, ast.Try | ast.TryStar):
        inner += statement.finalbody
    return inner


def _check_arity(function: ast.FunctionDef | ast.AsyncFunctionDef, filename: str) -> None:
    where = f"{filename}, line {function.lineno}:"
    if isinstance(function, ast.AsyncFunctionDef):
        raise WrongArity(f"{where} `{FUNCTION}` is async.", f"Write `def {SIGNATURE}:`.")
    arguments = function.args
    most = len(arguments.posonlyargs) + len(arguments.args)
    least = most - len(arguments.defaults)
    keywords_needed = [
        argument.arg
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    if keywords_needed:
        raise WrongArity(
            f"{where} `{FUNCTION}` requires the keyword arguments {', '.join(keywords_needed)}.",
            f"Give them defaults; Lethe calls {SIGNATURE}.",
        )
    if least > PARAMETERS or (most < PARAMETERS and arguments.vararg is None):
        raise WrongArity(
            f"{where} `{FUNCTION}` takes {most} positional arguments; Lethe calls it with {PARAMETERS}.",
            f"Write `def {SIGNATURE}:`.",
        )
