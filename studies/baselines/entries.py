"""The submitted files: those of baselines/; retraining uses the recipe of the benchmark."""

import ast
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.cli.demo import baseline_files
from services.core.errors import BadInput

__all__ = ["Entry", "find_entries", "with_recipe"]

RECIPE = "RECIPE"  # the constant of baselines/retrain.py


@dataclass(frozen=True, slots=True)
class Entry:
    """One baseline, as it is submitted to one benchmark."""

    name: str
    source: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.source).hexdigest()


def find_entries(recipe: Mapping[str, Any], files: Sequence[Path] | None = None) -> list[Entry]:
    """Read the baselines for a benchmark of this recipe; the references come first."""
    found = baseline_files() if files is None else files
    return [Entry(path.stem, _source(path, recipe)) for path in found]


def with_recipe(source: str, recipe: Mapping[str, Any]) -> str:
    """Replace the entries of a module's constant RECIPE by a benchmark's own. Raises BadInput for a foreign recipe."""
    constant = _constant(source)
    assert constant.value is not None
    known = ast.literal_eval(constant.value)
    if recipe.get("loss") != "cross-entropy" or recipe.get("weights") != "last-epoch" or known.keys() - recipe.keys():
        raise BadInput(f"{RECIPE} cannot say the recipe {dict(recipe)}: retraining would not be what the oracle did.")
    values = "".join(f"    {name!r}: {recipe[name]!r},\n" for name in known)
    lines = source.splitlines(keepends=True)
    assert constant.end_lineno is not None
    lines[constant.lineno - 1 : constant.end_lineno] = [f"{RECIPE}: dict[str, Any] = {{\n{values}}}\n"]
    return "".join(lines)


def _source(path: Path, recipe: Mapping[str, Any]) -> bytes:
    if path.stem != "retrain":
        return path.read_bytes()
    return with_recipe(path.read_text(encoding="utf-8"), recipe).encode()


def _constant(source: str) -> ast.AnnAssign:
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == RECIPE:
            return node
    raise BadInput(f"The module has no constant {RECIPE} with an annotation.")
