"""The files of an upload as text to read and compare. Nothing is run, and everything is bounded."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from functools import partial
from pathlib import PurePosixPath
from typing import Self

from services.core.models import SubmissionKind
from services.core.submission.archive import Archive
from services.core.text import tidy

__all__ = ["FileDiff", "LegibleFile", "differences", "files_of"]

MAX_FILE_BYTES = 256 * 1024
MAX_SHOWN_BYTES = 2 * 1024**2  # of all files together
MAX_COMPARED_LINES = 3000  # of a file
MAX_WORK = 50_000_000  # of comparing all files, in looks at a pair of lines: about 5 s at worst
FEW_LINES = 200  # from here on, difflib passes over lines that come often


@dataclass(frozen=True, slots=True)
class LegibleFile:
    """A file; without text if it is none, or too long to show."""

    path: str
    size_bytes: int
    text: str | None


@dataclass(frozen=True, slots=True)
class FileDiff:
    """How one file differs between two uploads; without lines if it cannot be shown."""

    path: str
    same: bool
    lines: list[str] | None


def files_of(filename: str, kind: SubmissionKind, data: bytes) -> list[LegibleFile]:
    """List the files of an upload, sorted by path. A notebook is shown as its cells; control characters are replaced.

    What would pass for something else, such as a direction mark, is a replacement character.
    """
    left = MAX_SHOWN_BYTES
    found = []
    for path, size_bytes, content in sorted(_contents(filename, kind, data), key=lambda one: one[0]):
        text = None
        if size_bytes <= min(MAX_FILE_BYTES, left):
            text = _legible(content())
            left -= size_bytes if text is not None else 0
        found.append(LegibleFile(path, size_bytes, text))
    return found


def differences(before: list[LegibleFile], after: list[LegibleFile]) -> list[FileDiff]:
    """Compare two uploads file by file. A lone file of each is compared whatever its name.

    Files whose comparison would take too long have no lines: an upload can be made so that it takes minutes.
    """
    old, new = ({file.path: file for file in files} for files in (before, after))
    if len(old) == len(new) == 1:
        old = {after[0].path: before[0]}
    work, found = MAX_WORK, []
    for path in sorted(old.keys() | new.keys()):
        differ = _Differ.of(old.get(path), new.get(path))
        work -= differ.work
        found.append(differ.show(path, affordable=work >= 0))
    return found


@dataclass(frozen=True, slots=True)
class _Differ:
    """The lines of two files; None for a file without text."""

    names: tuple[str, str]
    old: list[str] | None
    new: list[str] | None

    @classmethod
    def of(cls, old: LegibleFile | None, new: LegibleFile | None) -> Self:
        """Take the lines of both; a file that is not there has none."""
        one, other = ([] if file is None else _lines(file) for file in (old, new))
        return cls((old.path if old else "", new.path if new else ""), one, other)

    @property
    def work(self) -> int:
        """Bound the looks at a pair of equal lines that a comparison takes."""
        if self.old is None or self.new is None or self.old == self.new:
            return 0
        often = len(self.new) // 100 + 1 if len(self.new) >= FEW_LINES else len(self.new)
        there = Counter(self.new)
        pairs = sum(count for line in self.old if (count := there[line]) <= often)
        return pairs * min(len(self.old), len(self.new), FEW_LINES)

    def show(self, path: str, *, affordable: bool) -> FileDiff:
        """Write the difference, if it can be shown."""
        if self.old is None or self.new is None:
            return FileDiff(path, same=False, lines=None)
        if self.old == self.new:
            return FileDiff(path, same=True, lines=[])
        if not affordable or max(len(self.old), len(self.new)) > MAX_COMPARED_LINES:
            return FileDiff(path, same=False, lines=None)
        return FileDiff(path, same=False, lines=list(unified_diff(self.old, self.new, *self.names, lineterm="")))


def _lines(file: LegibleFile) -> list[str] | None:
    return None if file.text is None else file.text.splitlines()


def _contents(filename: str, kind: SubmissionKind, data: bytes) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    if kind is SubmissionKind.ARCHIVE:
        archive = Archive(data)
        for path in archive.paths:
            yield str(path), archive.size_bytes([path]), partial(archive.read, path)
    elif kind is SubmissionKind.NOTEBOOK:
        cells = _cells(data).encode()
        yield PurePosixPath(filename).name, len(cells), lambda: cells
    else:
        yield PurePosixPath(filename).name, len(data), lambda: data


def _cells(notebook: bytes) -> str:
    """Write the cells of a checked notebook, one below the other, without outputs."""
    shown = []
    for number, cell in enumerate(json.loads(notebook)["cells"], start=1):
        source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        shown.append(f"# --- cell {number}, {cell['cell_type']}\n{source}\n")
    return "".join(shown)


def _legible(content: bytes) -> str | None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else tidy(text, limit=MAX_FILE_BYTES)
