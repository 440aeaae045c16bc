"""Finds what may make a run fail although nothing is wrong with the file: calls that need a GPU."""

import ast
import re
from collections.abc import Iterable, Iterator

from services.core.device import Device
from services.core.submission.imports import unconditional

__all__ = ["gpu_calls", "warnings_for"]

MAX_CALLS = 5
PLACED_BY = frozenset({"device", "to"})  # functions whose argument names a device
DEVICE_ARGUMENTS = frozenset({"device", "map_location"})
_CUDA = re.compile(r"cuda(:\d+)?")


def gpu_calls(module: ast.Module, filename: str) -> list[str]:
    """Name the first calls that need a GPU and stand under no condition, such as `.cuda()` and `.to("cuda")`."""
    found: list[str] = []
    for statement in unconditional(module):
        for node in _expressions(statement):
            if len(found) < MAX_CALLS and (call := _gpu_call(node)):
                found.append(f"{filename}, line {node.lineno}: {call}")
    return found


def warnings_for(calls: Iterable[str], device: Device) -> list[str]:
    """Say in a sentence for each call that needs a GPU that a device is none."""
    if device is Device.GPU:
        return []
    return [
        f"{call} needs a GPU, and the runs have none. Use the model's own device: next(net.parameters()).device."
        for call in calls
    ]


def _expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """Yield the expressions of one statement, without those of statements in it or under a condition in it."""
    waiting = [child for child in ast.iter_child_nodes(statement) if not isinstance(child, ast.stmt)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.IfExp | ast.BoolOp | ast.Compare | ast.excepthandler | ast.match_case):
            continue
        if isinstance(node, ast.expr):
            yield node
        waiting += ast.iter_child_nodes(node)


def _gpu_call(node: ast.expr) -> str:
    """Write a call that needs a GPU as a person would know it again; an empty text for others."""
    if not isinstance(node, ast.Call):
        return ""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "cuda" and isinstance(node.func, ast.Attribute):
        return "`.cuda()`"
    if name in PLACED_BY and node.args and (device := _cuda(node.args[0])):
        return f'`{name}("{device}")`'
    for keyword in node.keywords:
        if keyword.arg in DEVICE_ARGUMENTS and (device := _cuda(keyword.value)):
            return f'`{keyword.arg}="{device}"`'
    return ""


def _cuda(value: ast.expr) -> str:
    text = value.value if isinstance(value, ast.Constant) else None
    return text if isinstance(text, str) and _CUDA.fullmatch(text) else ""
