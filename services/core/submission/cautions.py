"""Finds what may make a run fail although nothing is wrong with the file: calls that need a GPU or a compiler."""

import ast
import re
from collections.abc import Iterable, Iterator

from services.core.device import Device
from services.core.submission.imports import unconditional

__all__ = ["compilations", "gpu_calls", "may_compile", "may_need_gpu", "warnings_for"]

MAX_CALLS = 5
PLACED_BY = frozenset({"device", "to"})  # functions whose argument names a device
DEVICE_ARGUMENTS = frozenset({"device", "map_location"})
# Functions of torch.cuda that raise without a GPU; others, such as `manual_seed_all`, then do nothing.
RAISES = frozenset(
    {"synchronize", "set_device", "current_device", "get_device_name", "get_device_properties", "mem_get_info"}
)
INTERPRETED = frozenset({"eager", "aot_eager"})  # backends of torch.compile that compile nothing
_DEVICE = re.compile(r"(cuda|mps)(:\d+)?")
_SIGNS = (b"cuda", b"mps")  # one of which every file has that names a GPU


def may_need_gpu(source: bytes) -> bool:
    """Tell cheaply whether a file may have a call that needs a GPU."""
    return any(sign in source for sign in _SIGNS)


def gpu_calls(module: ast.Module, filename: str) -> list[str]:
    """Name the first calls that need a GPU and stand under no condition, such as `.cuda()` and `.to("cuda")`.

    A device that a name stands for counts if the file gives that name no other value.
    """
    found: list[str] = []
    named = _named_devices(module)
    for statement in unconditional(module):
        for node in _expressions(statement):
            if len(found) < MAX_CALLS and (call := _gpu_call(node, named)):
                found.append(f"{filename}, line {node.lineno}: {call}")
    return found


def may_compile(source: bytes) -> bool:
    """Tell cheaply whether a file may call torch.compile."""
    return b"compile" in source


def compilations(module: ast.Module, filename: str) -> list[str]:
    """Name the first uses of torch.compile that stand under no condition and need a C++ compiler."""
    found: list[str] = []
    for statement in unconditional(module):
        bare = [one for one in getattr(statement, "decorator_list", []) if _is_compile(one)]
        for node in _expressions(statement):
            if len(found) < MAX_CALLS and (node in bare or _compiles(node)):
                found.append(f"{filename}, line {node.lineno}: `torch.compile`")
    return found


def warnings_for(calls: Iterable[str], compiled: Iterable[str], device: Device) -> list[str]:
    """Say in a sentence for each call that needs a GPU that a device is none, and for each that needs a compiler."""
    without_gpu = [
        f"{call} needs a GPU, and the runs have none. Use the model's own device: next(net.parameters()).device."
        for call in calls
    ]
    without_compiler = [
        f"{place} needs a C++ compiler, which Lethe's environments lack. Leave it out, or choose backend='eager'."
        for place in compiled
    ]
    return without_compiler if device is Device.GPU else without_gpu + without_compiler


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


def _named_devices(module: ast.Module) -> dict[str, str]:
    """Return the names whose every value in the file is the text of a device, each with its device."""
    values: dict[str, set[str]] = {}
    for node in ast.walk(module):
        for name, value in _given(node):
            values.setdefault(name, set()).add(_device(value, {}) if value is not None else "")
    return {name: found.pop() for name, found in values.items() if len(found) == 1 and found != {""}}


def _given(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield the names that a node gives a value, each with the value, or None if it may be anything."""
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from ((one.id, node.value) for one in targets if isinstance(one, ast.Name))
        tuples = [one for one in targets if not isinstance(one, ast.Name)]
        yield from ((one.id, None) for target in tuples for one in ast.walk(target) if isinstance(one, ast.Name))
    elif isinstance(node, ast.For | ast.comprehension | ast.NamedExpr | ast.AugAssign):
        yield from ((one.id, None) for one in ast.walk(node.target) if isinstance(one, ast.Name))
    elif isinstance(node, ast.arg):
        yield node.arg, None
    elif isinstance(node, ast.alias):
        yield node.asname or node.name.partition(".")[0], None


def _gpu_call(node: ast.expr, named: dict[str, str]) -> str:
    """Write a call that needs a GPU as a person would know it again; an empty text for others."""
    if not isinstance(node, ast.Call):
        return ""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if isinstance(node.func, ast.Attribute):
        if name == "cuda":
            return "`.cuda()`"
        if name in RAISES and isinstance(node.func.value, ast.Attribute) and node.func.value.attr == "cuda":
            return f"`torch.cuda.{name}()`"
    if name in PLACED_BY and node.args and (device := _device(node.args[0], named)):
        return f'`{name}("{device}")`'
    for keyword in node.keywords:
        if keyword.arg in DEVICE_ARGUMENTS and (device := _device(keyword.value, named)):
            return f'`{keyword.arg}="{device}"`'
    return ""


def _compiles(node: ast.expr) -> bool:
    """Tell whether an expression calls torch.compile with a backend that compiles."""
    if not (isinstance(node, ast.Call) and _is_compile(node.func)):
        return False
    options = {one.arg: getattr(one.value, "value", None) for one in node.keywords}
    return options.get("backend") not in INTERPRETED and options.get("disable") is not True


def _is_compile(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "compile"
        and isinstance(node.value, ast.Name)
        and node.value.id == "torch"
    )


def _device(value: ast.expr, named: dict[str, str]) -> str:
    """Return the GPU that a value names; an empty text if it names none, or may name another device."""
    if isinstance(value, ast.Name):
        return named.get(value.id, "")
    if isinstance(value, ast.JoinedStr) and len(value.values) > 1:  # as in f"cuda:{number}"
        head = value.values[0]
        return "cuda" if isinstance(head, ast.Constant) and head.value == "cuda:" else ""
    text = value.value if isinstance(value, ast.Constant) else None
    return text if isinstance(text, str) and _DEVICE.fullmatch(text) else ""
