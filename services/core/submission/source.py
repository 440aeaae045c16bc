"""Reads the source of a submission as a syntax tree. Nothing here compiles or runs it.

The size limit keeps parsing cheap: the densest source costs CPython about 1 KB of memory and 3 us per byte.
"""

import ast
import io
import re
import sys
import threading
import tokenize
import warnings
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from services.core.errors import BadInput

__all__ = [
    "MAX_SOURCE_BYTES",
    "MERGE_CONFLICT",
    "UNTOLD_PYTHON",
    "NotPython",
    "Python",
    "Rejected",
    "Sources",
    "is_never_true",
    "last_assignment",
    "parse",
    "top_level",
]

MAX_SOURCE_BYTES = 256 * 1024
Python = tuple[int, int]  # a version: 3 and the number behind it
UNTOLD_PYTHON: Python = (3, 11)  # of an environment of which no worker has told yet
NEWER_SYNTAX = (  # the version of Python, and the line that an older one does not parse
    ("3.12", re.compile(r"^\s*type\s+\w+.*=|^\s*(async\s+)?def\s+\w+\s*\[|^\s*class\s+\w+\s*\[")),
    ("3.14", re.compile(r"^\s*except\s+[\w.]+\s*,|(?<![\w'\"])[rR]?[tT][rR]?['\"]")),
)
OPEN_FIELD = re.compile(r"(?<!\w)[rR]?[fF][rR]?(['\"])[^'\"]*\{[^'\"}]*$")  # of an f-string, which ends on a later line
LINE_END = 300  # characters in which it is sought
NOTEBOOK_LINE = re.compile(r"^\s*[%!?]")
PYTHON_2 = re.compile(r"^\s*(except\s+[\w.]+\s*,\s*[a-z_]\w*\s*:|(print|exec)\s+[^(\s=])")
MERGE_CONFLICT = re.compile(r"^(<{7}|={7}|>{7})(\s|$)")
# What people name .py although it is something else: how it begins, what it is, and what to do.
OTHER_FORMATS = (
    (re.compile(rb"PK\x03\x04"), "a zip archive", "Let its name end in .zip."),
    (re.compile(rb'\s*\{\s*"(cells|metadata|nbformat)"'), "a notebook", "Let its name end in .ipynb."),
    (re.compile(rb"\s*<[!?a-zA-Z]"), "a web page", "Download the file itself, such as GitHub's raw form."),
)
BYTE_ORDER_MARKS = {b"\xff\xfe\0\0": "UTF-32", b"\0\0\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
MANY_ZEROS, FEW_ZEROS = 0.3, 0.05  # shares of either half of the bytes that tell UTF-16

_warnings_lock = threading.Lock()  # warning filters belong to the process, not to a thread


class Rejected(BadInput):
    """An upload that cannot be a submission. It costs no quota."""

    code = "rejected"

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}", remedy=remedy)


class NotPython(Rejected):
    code = "not_python"


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a submission, and the Python that will run them."""

    paths: Collection[PurePosixPath]
    read: Callable[[PurePosixPath], bytes]
    python: Python = UNTOLD_PYTHON

    def tree(self, path: PurePosixPath) -> ast.Module:
        """Return the syntax tree of a module. Raises NotPython."""
        return parse(self.read(path), str(path), self.python)


def last_assignment(module: ast.Module, name: str) -> ast.expr | None:
    """Return the last value that the top level assigns to a name; None if it never does."""
    found: ast.expr | None = None
    for statement in top_level(module):
        targets: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            assert isinstance(statement, ast.Assign | ast.AnnAssign)
            found = statement.value
    return found


def parse(source: bytes, filename: str, python: Python = UNTOLD_PYTHON) -> ast.Module:
    """Return the syntax tree of a module for a version of Python. Raises NotPython, which says what to change."""
    if len(source) > MAX_SOURCE_BYTES:
        raise NotPython(
            f"{filename} is {len(source):,} bytes; the limit for a module is {MAX_SOURCE_BYTES:,} bytes.",
            "Move data into separate files and upload a .zip.",
        )
    _require_readable(source, filename)
    try:
        with _warnings_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as an invalid escape, which is not our concern
            return ast.parse(source, feature_version=python)
    except SyntaxError as error:
        where = f", line {error.lineno}" if error.lineno else ""
        problem = f"{filename}{where} does not parse: {error.msg.rstrip('.')}."
        raise NotPython(problem, _syntax_remedy(error, python)) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise NotPython(
            f"{filename} does not parse: it is nested too deeply, or holds a number too long.",
            "Simplify it and upload it again.",
        ) from error


def top_level(module: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements that run at import, in order, including those in blocks, except those that never run."""
    waiting: list[ast.stmt] = module.body[::-1]
    while waiting:
        statement = waiting.pop()
        yield statement
        waiting += _blocks(statement)[::-1]


def is_never_true(test: ast.expr) -> bool:
    """Tell whether a condition is false in a sandbox: `TYPE_CHECKING`, or `__name__ == "__main__"`."""
    name = test.left if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq) else test
    known = name.attr if isinstance(name, ast.Attribute) else name.id if isinstance(name, ast.Name) else ""
    return known == ("__name__" if name is not test else "TYPE_CHECKING")


def _require_readable(source: bytes, filename: str) -> None:
    """Raise NotPython unless the bytes are text in UTF-8, or in the encoding that the source declares."""
    for beginning, what, remedy in OTHER_FORMATS:
        if beginning.match(source):
            raise NotPython(f"{filename} is {what}.", remedy)
    if encoding := _wide_encoding(source):
        raise NotPython(f"{filename} is encoded as {encoding}.", "Save it as UTF-8.")
    if (at := source.find(0)) >= 0:
        raise NotPython(f"{filename}, line {_line_of(source, at)} contains a NUL byte.", "Remove it.")
    lines = source.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(lines).readline)
    except SyntaxError:
        encoding = "utf-8"  # and if it declares an unknown one, the parser says so
    try:
        source.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotPython(
            f"{filename}, line {_line_of(source, error.start)} is not valid {encoding.upper().removesuffix('-SIG')}: "
            f"it holds the byte 0x{source[error.start]:02X}.",
            "Save the file as UTF-8.",
        ) from error
    except (LookupError, ValueError):
        return  # a codec of no text, which the parser refuses


def _wide_encoding(source: bytes) -> str | None:
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if source.startswith(mark):
            return encoding
    if len(source) < 2:
        return None
    low, high = sorted(half.count(0) / len(half) for half in (source[::2], source[1::2]))
    return "UTF-16" if low <= FEW_ZEROS and high >= MANY_ZEROS else None


def _line_of(source: bytes, at: int) -> int:
    return len(source[:at].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))


def _syntax_remedy(error: SyntaxError, python: Python) -> str:
    """Tell what to do about a line: use older syntax, or leave it to notebooks."""
    line = error.text or ""
    if NOTEBOOK_LINE.match(line):
        return "Remove lines that begin with %, ! or ?: they work only in notebooks."
    newer = next((version for version, pattern in NEWER_SYNTAX if pattern.search(line)), None)
    if PYTHON_2.match(line):
        return f"It is written for Python 2: convert it to Python 3. {_reader(python)}"
    if MERGE_CONFLICT.match(line):
        return "Resolve the merge conflict that the line is a mark of."
    if newer is None and (error.msg.startswith("f-string") or OPEN_FIELD.search(line.rstrip()[-LINE_END:])):
        newer = "3.12"
    if newer is None:
        return f"Fix it and upload it again. {_reader(python)}"
    return f"Write it without the syntax of Python {newer}. {_reader(python)}"


def _reader(python: Python) -> str:
    """Name the Python whose syntax counts: the sandbox's, or Lethe's own if that is older and so reads no newer one."""
    runs = "The sandbox runs Python {}.{}".format(*python)
    own = sys.version_info[:2]
    return f"{runs}." if python <= own else "{}, but Lethe checks files with Python {}.{}.".format(runs, *own)


def _blocks(statement: ast.stmt) -> list[ast.stmt]:
    match statement:
        case ast.If():
            return [*([] if is_never_true(statement.test) else statement.body), *statement.orelse]
        case ast.Try() | ast.TryStar():
            handled = [inner for handler in statement.handlers for inner in handler.body]
            return [*statement.body, *handled, *statement.orelse, *statement.finalbody]
        case ast.With():
            return statement.body
        case ast.For() | ast.While():
            return [*statement.body, *statement.orelse]
        case ast.Match():
            return [inner for case in statement.cases for inner in case.body]
        case _:
            return []
