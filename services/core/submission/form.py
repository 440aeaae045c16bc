"""The normal form of a submission's code: what stays of it without comments, layout and documentation strings.

Two digests come of it. Submissions of equal form are the same code, whatever their bytes. Sketches tell how alike two
forms are without names of variables and values of constants: the share of runs of nodes that both have.

Nothing is compiled or run. Trees are walked without recursion, because they may be nested deeply.
"""

import ast
import hashlib
import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from services.core.models.submissions import SubmissionKind
from services.core.submission.archive import Archive
from services.core.submission.source import NotPython, Python, parse

__all__ = ["BANDS", "Form", "bands_of", "form_of", "likeness"]

MAX_PARSED_BYTES = 512 * 1024  # of an archive's modules; the bytes of further ones are their form
RUN = 6  # nodes in a row
MIN_RUNS = 60  # fewer are alike in all submissions: the smallest that does anything has about as many
MAX_WORDS = 50_000  # that a sketch looks at
MAX_NODES = 200_000  # words of one tree; 240 kB that people wrote have half as many. Beyond it, lines are compared
PORTION = 4096
SLOTS, ROWS = 60, 5
BANDS = SLOTS // ROWS  # forms that are alike for 80% share one of them in 99% of cases
NONE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Form:
    """A digest of the normal form in hex, and its sketch; no sketch if there is too little code to compare."""

    sha256: str
    sketch: bytes | None


def form_of(filename: str, kind: SubmissionKind, data: bytes, python: Python) -> Form:
    """Return the normal form of a submission that was checked."""
    digest, words = hashlib.sha256(kind.value.encode()), list[str]()
    for name, source in _sources(filename, kind, data):
        digest.update(name.encode() + b"\0")
        digest.update(_digest(source, words, python))
    return Form(digest.hexdigest(), _sketch(words))


def likeness(one: bytes, other: bytes) -> float:
    """Estimate the share of runs of nodes that two sketches have in common."""
    pairs = zip(array("q", one), array("q", other), strict=True)
    return sum(a == b for a, b in pairs) / SLOTS


def bands_of(form: Form) -> list[int]:
    """Return numbers of 63 bits, one of which two forms very probably share if they are alike, and surely if equal."""
    found = [_number(bytes.fromhex(form.sha256))]
    if form.sketch is not None:
        step = 8 * ROWS
        parts = [form.sketch[place : place + step] for place in range(0, len(form.sketch), step)]
        found += [_number(bytes([place]) + part) for place, part in enumerate(parts)]
    return found


def _sources(filename: str, kind: SubmissionKind, data: bytes) -> Iterator[tuple[str, bytes | str]]:
    """Yield names and contents: text for code, bytes for what is compared as it is."""
    if kind is SubmissionKind.MODULE:
        yield "", data.decode() if _is_utf8(data) else data
    elif kind is SubmissionKind.NOTEBOOK:
        for cell in json.loads(data)["cells"]:
            source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
            if cell["cell_type"] == "code" and source.strip():
                yield "", source
    else:
        yield from _members(Archive(data))


def _members(archive: Archive) -> Iterator[tuple[str, bytes | str]]:
    left = MAX_PARSED_BYTES
    for path in sorted(archive.paths):
        content = archive.read(path)
        is_code = path.suffix == ".py" and len(content) <= left and _is_utf8(content)
        left -= len(content) if is_code else 0
        yield str(path), content.decode() if is_code else content


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _digest(source: bytes | str, words: list[str], python: Python) -> bytes:
    """Digest one file or cell, and collect the words of its tree; bytes if it does not parse."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).digest()
    try:
        tree = parse(source.encode("utf-8", "surrogatepass"), "code", python)
    except NotPython:
        return _of_lines(source)
    digest, walk = hashlib.sha256(), _walk(tree)
    for _ in range(0, MAX_NODES, PORTION):
        portion = list(islice(walk, PORTION))
        digest.update("\0".join([*portion, ""]).encode("utf-8", "surrogatepass"))
        if len(words) < MAX_WORDS:
            words += [node for node in portion if not node.startswith(("=", "["))]
        if len(portion) < PORTION:
            return digest.digest()
    return _of_lines(source)


def _of_lines(source: str) -> bytes:
    """Digest lines without indentation and empty ones."""
    lines = (line.strip() for line in source.splitlines())
    return hashlib.sha256("\n".join(line for line in lines if line).encode("utf-8", "surrogatepass")).digest()


def _walk(tree: ast.AST) -> Iterator[str]:
    """Write a tree from its top: nodes and names that others gave as words, `=` before all else, `[` before lists."""
    waiting: list[object] = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, ast.expr_context):
            continue
        if isinstance(item, ast.AST):
            yield type(item).__name__
            if isinstance(item, ast.Constant):
                yield f"={type(item.value).__name__} {_written(item.value)}"
            else:
                waiting += [_shown(item, name) for name in reversed(item._fields)]
        elif isinstance(item, list):
            body = [one for one in item if not _says_nothing(one)]
            yield f"[{len(body)}"
            waiting += reversed(body)
        else:
            yield str(item) if isinstance(item, _Word) else f"={item!r}"


class _Word(str):
    """A name that the code cannot choose: of an attribute, a module or an argument of somebody else's function."""


def _shown(node: ast.AST, name: str) -> object:
    value = getattr(node, name, None)
    given = isinstance(node, ast.Attribute | ast.alias | ast.ImportFrom | ast.keyword) and name != "asname"
    return _Word(value) if given and isinstance(value, str) else value


def _says_nothing(statement: object) -> bool:
    """Whether a statement is a string by itself, as a documentation string is."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _written(value: object) -> str:
    return hex(value) if isinstance(value, int) else repr(value)  # Python refuses to write long integers in decimals


def _sketch(words: Sequence[str]) -> bytes | None:
    """Keep for each slot the least number among the runs that fall into it."""
    runs = {"\0".join(words[place : place + RUN]) for place in range(len(words) - RUN + 1)}
    if len(runs) < MIN_RUNS:
        return None
    least = [NONE] * SLOTS
    for run in runs:
        number = _number(run.encode("utf-8", "surrogatepass"))
        least[number % SLOTS] = min(least[number % SLOTS], number)
    return array("q", [_filled(least, slot) for slot in range(SLOTS)]).tobytes()


def _filled(least: list[int], slot: int) -> int:
    """Return the number of a slot, or of the next that is not empty: two empty ones are no likeness."""
    return next(number for number in least[slot:] + least[:slot] if number != NONE)


def _number(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big") >> 1
