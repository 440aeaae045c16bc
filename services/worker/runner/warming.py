"""Warming the launcher up, so that no seed pays for slow imports."""

import ast
import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path

import torch

from services.benchmarks.torchvision_operators import import_torchvision

__all__ = ["warm_up"]

OPTIMIZERS = b"optim"
# Imported before the fork if a submission names them, because they are the image's own and slow to import.
WARM_PACKAGES = {"torchvision", "pandas", "scipy", "sklearn", "PIL", "matplotlib", "tqdm", "copy", "math"}


def warm_up(source: Path, *, trains: bool = False) -> None:
    """Import the slow packages that the submission names, and take an optimizer step if it may take one.

    The first step imports a compiler, for 2.5 s of CPU with torch 2.13. If our own trainer `trains` beside the
    submission, a step is taken whatever that names: it must not decide how long the trainer takes.
    """
    with _without_cuda():
        if trains or _may_optimize(source.parent):
            parameter = torch.nn.Parameter(torch.zeros(1))
            parameter.grad = torch.zeros(1)
            torch.optim.SGD([parameter], lr=0.0).step()
        for package in _packages(source):
            with contextlib.suppress(Exception):
                import_torchvision() if package == "torchvision" else importlib.import_module(package)


def _may_optimize(submission: Path) -> bool:
    """Tell whether any of its modules names optimizers. One that hides the name only starts more slowly."""
    return any(path.is_file() and OPTIMIZERS in path.read_bytes() for path in submission.rglob("*.py"))


@contextlib.contextmanager
def _without_cuda() -> Iterator[None]:
    """Keep CUDA untouched, which the first optimizer step would initialise: forked children could not use it then."""
    asked, torch.cuda.is_available = torch.cuda.is_available, lambda: False
    try:
        yield
    finally:
        torch.cuda.is_available = asked


def _packages(source: Path) -> set[str]:
    """Find the slow packages that a submission imports."""
    found = set()
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        for node in ast.walk(ast.parse(source.read_bytes())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            found |= {name.split(".")[0] for name in names} & WARM_PACKAGES
    return found
