"""Reads the cells of a notebook as Python, without what only IPython understands."""

import json
import re
from collections.abc import Iterator
from typing import Any

from services.core.submission.imports import Imported, top_names, unconditional
from services.core.submission.source import MAX_SOURCE_BYTES, NotPython, Python, parse

__all__ = ["cell_imports"]

MAX_READ_BYTES = 2 * MAX_SOURCE_BYTES  # of the cells of a notebook together; those after are not read
PYTHON_MAGICS = frozenset({"time", "timeit", "capture", "prun", "python3"})  # of cells that still are Python
_CELL_MAGIC = re.compile(r"\s*%%(\w+)[ \t]*(.*)")
_MAGIC_LINE = re.compile(r"^([ \t]*)(?:[%!?].*|[\w.]+\?{1,2}[ \t]*|[\w.]+[ \t]*=[ \t]*[%!].*)$", re.MULTILINE)


def cell_imports(data: bytes, filename: str, python: Python) -> list[Imported]:
    """List what the cells of a valid notebook import at their top level under no condition, each with its place.

    Modules that a cell writes to a file are left out. A cell may prepare an import in ways that nobody sees without
    running it, so no import is called indispensable.
    """
    found: list[Imported] = []
    written: set[str] = set()
    for number, source in _sources(json.loads(data)["cells"]):
        if (magic := _CELL_MAGIC.match(source)) and magic[1] == "writefile":
            written.add(re.split(r"[/\\]", magic[2].strip())[-1].removesuffix(".py"))
            continue
        if magic and magic[1] not in PYTHON_MAGICS:
            continue
        plain = "\n" * magic[0].count("\n") + source[magic.end() :] if magic else source
        try:
            module = parse(_MAGIC_LINE.sub(r"\1pass", plain).encode("utf-8", "surrogatepass"), "cell", python)
        except NotPython:  # which the kernel tells better
            continue
        for statement in unconditional(module):
            if statement in module.body:
                place = f"{filename}, cell {number}"
                found += [Imported(name, place, statement.lineno, at_once=False) for name in top_names(statement)]
    return [one for one in found if one.name not in written]


def _sources(cells: list[dict[str, Any]]) -> Iterator[tuple[int, str]]:
    """Yield the numbers and sources of code cells, counted from 1 among all cells, as far as they are read."""
    left = MAX_READ_BYTES
    for number, cell in enumerate(cells, start=1):
        source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        if cell["cell_type"] == "code" and len(source) <= left:
            left -= len(source)
            yield number, source
