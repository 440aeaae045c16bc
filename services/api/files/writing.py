"""Writing a file as YAML that people edit: every field, texts as blocks, moments in UTC.

Written by hand, because libraries fold long lines and escape what a block could hold, such as a space at a line's end.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from services.api.files.form import CompetitionFile
from services.api.kit.schemas import Input

__all__ = ["write_file"]

INDENT = "  "


def write_file(file: CompetitionFile) -> str:
    """Write a file. Reading it again gives the same."""
    return "".join(f"{line}\n" for line in _lines(file))


def _lines(file: CompetitionFile) -> Iterator[str]:
    yield from _fields(file, "", leave_out=("pages", "phases"))
    for name in ("pages", "phases"):
        yield from _list(name, getattr(file, name))


def _list(name: str, items: list[Any]) -> Iterator[str]:
    if not items:
        yield f"{name}: []"
        return
    yield f"{name}:"
    for item in items:
        first, *others = _fields(item, INDENT * 2)
        yield f"{INDENT}- {first.lstrip()}"
        yield from others


def _fields(part: Input, indent: str, leave_out: tuple[str, ...] = ()) -> Iterator[str]:
    for name in type(part).model_fields:
        if name not in leave_out:
            yield from _field(name, getattr(part, name), indent)


def _field(name: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, str) and "\n" in value and value.strip("\n"):
        told = len(INDENT) if value[0].isspace() else ""  # readers take the indentation of the first line otherwise
        yield f"{indent}{name}: |{told}{_chomping(value)}"
        inner = indent + INDENT
        for line in value.rstrip("\n").split("\n"):
            yield f"{inner}{line}" if line else ""
        yield from [""] * (len(value) - len(value.rstrip("\n")) - 1)
        return
    if isinstance(value, Input):
        yield f"{indent}{name}:"
        yield from _fields(value, indent + INDENT)
        return
    yield f"{indent}{name}: {_scalar(value)}"


def _chomping(text: str) -> str:
    """Say what becomes of line ends at the end of a block: none, one, or all of them."""
    if not text.endswith("\n"):
        return "-"
    return "+" if text.endswith("\n\n") else ""


def _scalar(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list():
            return f"[{', '.join(map(_scalar, value))}]"
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    text = str(value)
    return text if _is_plain(text) else json.dumps(text, ensure_ascii=False)


def _is_plain(text: str) -> bool:
    """Tell whether text needs no quotes: words that no reader takes for something else."""
    return (
        text.isascii()
        and text.replace("-", "").isalnum()
        and text[0].isalpha()
        and text not in ("null", "true", "false")
    )
