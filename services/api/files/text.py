"""Reading YAML as plain data with the place of every value. It knows nothing of competitions.

YAML has more than a settings file needs, and some of it is dangerous or surprising: anchors that blow up, tags, merged
keys, `no` that is false, `1:30` that is 90. So only mappings, lists and scalars are read, and a plain scalar is null,
true, false, a number, or text.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

__all__ = ["MAX_BYTES", "MAX_MISTAKES", "Document", "Mistake", "Path", "TextPosition", "dotted", "read_yaml"]

MAX_BYTES = 256 * 1024
MAX_DEPTH = 12
MAX_EVENTS = 20_000
MAX_MISTAKES = 100  # of one file that are told
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
MAX_DIGITS = 20  # of an integer, because Python refuses to read thousands

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class TextPosition:
    """Where something stands, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing that is wrong in a file, where, and what to do about it."""

    line: int
    column: int
    path: str
    problem: str
    remedy: str


@dataclass
class Document:
    """What a file holds, the place of each of its values and keys by path, and what is wrong with its form."""

    value: Any = None
    places: dict[Path, TextPosition] = field(default_factory=dict)
    keys: dict[Path, TextPosition] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def place(self, path: Path, *, of_key: bool = False) -> TextPosition:
        """Find the place of a value or key, or of the nearest thing around it that the file has."""
        found = self.keys.get(path) if of_key else None
        while found is None and path:
            found = self.places.get(path)
            path = path[:-1]
        return found or self.places.get((), TextPosition(1, 1))


def read_yaml(text: str) -> Document:
    """Read a file. What is wrong with it stands in `mistakes`; `value` then holds what could be read, or None."""
    document = Document()
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return _refused(document, 1, 1, f"The file is larger than {MAX_BYTES // 1024} KiB.", "Shorten its texts.")
    try:
        _refuse_dangerous(text, document)
        if not document.mistakes:
            node = yaml.compose(text, Loader=_LOADER)  # it makes nodes, and constructs nothing
            document.value = None if node is None else _Builder(document).build(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = f"This is not YAML: {error.problem or error.context}."
        remedy = "Check the indentation, and put text that holds `: ` or ` #` in quotes."
        return _refused(document, line, column, problem, remedy)
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        return _refused(document, line, 1, f"The file holds the character U+{error.character:04X}.", "Remove it.")
    return document


def _refused(document: Document, line: int, column: int, problem: str, remedy: str) -> Document:
    document.value = None
    document.mistakes.append(Mistake(line, column, "", problem, remedy))
    return document


def _refuse_dangerous(text: str, document: Document) -> None:
    """Go through the events, which holds nothing in memory, before anything is built of them."""
    depth = documents = 0
    for number, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        wrong = None
        if number > MAX_EVENTS:
            wrong = "The file holds too many values.", "Leave out what is not needed."
        elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            wrong = "An anchor (&) or alias (*) is not allowed.", "Write the value out, or put it in quotes."
        elif getattr(event, "tag", None) is not None:
            wrong = "A tag (!) is not allowed.", "Leave it out, or put the text in quotes."
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                wrong = "The file holds a second document.", "Give each competition a file of its own."
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                wrong = "The file is nested too deeply.", "Correct the indentation."
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if wrong is not None:
            mark = event.start_mark
            document.mistakes.append(Mistake(mark.line + 1, mark.column + 1, "", *wrong))
            if depth > MAX_DEPTH or number > MAX_EVENTS or len(document.mistakes) >= MAX_MISTAKES:
                return


class _Builder:
    """Makes plain values of nodes whose depth is bounded, and notes their places."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def build(self, node: yaml.Node, path: Path) -> Any:
        self._document.places[path] = _place(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._complain(key, path, "The name of a field is not text.", "Write `name: value`.")
                continue
            name: str = key.value
            here = (*path, name)
            if name in found:
                self._complain(key, here, f"`{name}` stands here twice.", "Remove one.")
                continue
            self._document.keys[here] = _place(key)
            found[name] = self.build(value, here)
        return found

    def _complain(self, node: yaml.Node, path: Path, problem: str, remedy: str) -> None:
        place = _place(node)
        self._document.mistakes.append(Mistake(place.line, place.column, dotted(path), problem, remedy))


def dotted(path: Path) -> str:
    """Write a path as people do: `phases.0.seeds`."""
    return ".".join(map(str, path))


def _place(node: yaml.Node) -> TextPosition:
    return TextPosition(node.start_mark.line + 1, node.start_mark.column + 1)


def _scalar(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if node.style:  # quoted, or a block of text
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) <= MAX_DIGITS:
        return int(text.replace("_", ""))
    return float(text) if _NUMBER.fullmatch(text) and len(text) <= 2 * MAX_DIGITS else text
