"""What a source file imports, read without running it."""

import ast
from pathlib import Path

__all__ = ["imports_of"]


def imports_of(path: Path) -> set[str]:
    """Name everything that a file imports, wherever in it: modules, and `module.name` for what comes from one."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{path.name} imports relative to itself"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found
