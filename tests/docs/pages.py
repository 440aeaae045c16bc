"""The written pages, and how tests read them: sections under headings, tables, and what stands in code."""

import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["PAGES", "ROOT", "code_in", "in_code", "read", "rows_of", "sections_of", "slugs_of"]

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    ROOT / "starting_kit/README.md",
    *sorted((ROOT / ".github").rglob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]

_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CELL = re.compile(r"(?<!\\)\|")


def read(name: str) -> str:
    """Read a page by its path in the repository."""
    return (ROOT / name).read_text()


def sections_of(text: str) -> dict[str, str]:
    """Give the text under each heading, up to the next heading of any level. Headings are unique."""
    found = list(_HEADING.finditer(_FENCE.sub("", text)))
    plain = _FENCE.sub("", text)
    ends = [heading.start() for heading in found[1:]] + [len(plain)]
    sections = {heading[1]: plain[heading.end() : end] for heading, end in zip(found, ends, strict=True)}
    assert len(sections) == len(found), "a heading stands twice"
    return sections


def rows_of(text: str) -> list[list[str]]:
    """Give the cells of every table row, without heads and rules."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in _CELL.split(line)[1:-1]] for line in lines]
    rules = {at for at, row in enumerate(cells) if set("".join(row)) <= set("-: ")}
    return [row for at, row in enumerate(cells) if at not in rules and at + 1 not in rules]


def in_code(cell: str) -> list[str]:
    """Give what a piece of text has in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def code_in(text: str) -> Iterator[str]:
    """Yield what a page shows as code: inline, and the lines of shell blocks with their continuations joined."""
    for language, block in _FENCE.findall(text):
        if language in ("", "sh", "yaml"):
            yield from block.replace("\\\n", " ").splitlines()
    yield from in_code(_FENCE.sub("", text).replace("\n", " "))


def slugs_of(text: str) -> set[str]:
    """Give the anchors that a page's headings make, as GitHub writes them."""
    heads = (re.sub(r"[^\w\- ]", "", head.lower()) for head in _HEADING.findall(_FENCE.sub("", text)))
    return {head.strip().replace(" ", "-") for head in heads}
