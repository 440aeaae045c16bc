"""Replacing a constant in the source of a baseline. A constant that is not assigned exactly once is an error."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from services.core.errors import BadInput

__all__ = ["Constant", "constant_of", "with_constants"]

Number = float | int | bool


@dataclass(frozen=True, slots=True)
class Constant:
    """A named number at the top of a module: its value, and the place of its bytes in the source."""

    value: Number
    start: int
    end: int


def with_constants(source: str, values: Mapping[str, Number]) -> str:
    """Give a module's constants other values; every other byte stays.

    Raises BadInput if a name is not assigned exactly once, or if its value is not a plain number.
    """
    found = {name: constant_of(source, name) for name in values}
    data = source.encode()
    for name, constant in sorted(found.items(), key=lambda item: -item[1].start):  # from the end: places stay
        data = data[: constant.start] + repr(values[name]).encode() + data[constant.end :]
    return data.decode()


def constant_of(source: str, name: str) -> Constant:
    """Find the one assignment `NAME = number` or `NAME, OTHER = number, number`. Raises BadInput."""
    tree = ast.parse(source)
    assigned = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name and _stores(node)]
    values = [value for node in tree.body for target, value in _pairs(node) if target.id == name]
    if len(assigned) != 1 or len(values) != 1:
        raise BadInput(f"{name} is assigned {len(assigned)} times, {len(values)} of them as a constant; expected once.")
    try:
        value = ast.literal_eval(values[0])
    except ValueError:
        value = None
    if not isinstance(value, float | int):
        raise BadInput(f"{name} is no plain number.")
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    node = values[0]
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return Constant(value, starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset)


def _stores(node: ast.Name) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _pairs(node: ast.stmt) -> list[tuple[ast.Name, ast.expr]]:
    """Pair the names and the values of an assignment."""
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return []
    targets: list[ast.expr] = node.targets if isinstance(node, ast.Assign) else [node.target]
    value = node.value
    pairs: list[tuple[ast.Name, ast.expr]] = []
    for target in targets:
        if isinstance(target, ast.Name) and value is not None:
            pairs.append((target, value))
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            both = zip(target.elts, value.elts, strict=True)
            pairs.extend((name, one) for name, one in both if isinstance(name, ast.Name))
    return pairs
