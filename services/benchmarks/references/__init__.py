"""The code of the platform's reference rows: modules that run in the sandbox like any entry's. Nothing imports them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.core.references.planning import plan

__all__ = ["EMPTY", "source", "trainer"]

HERE = Path(__file__).parent
EMPTY = (HERE / "identity.py").read_text()  # the code of a run that does nothing
MARK = "RECIPE: dict[str, Any] = {}\n"


def source(recipe: Mapping[str, Any], epochs: int) -> str:
    """Write a module that retrains by a benchmark's recipe for some epochs; for none, one that does nothing."""
    if epochs == 0:
        return EMPTY
    text = json.dumps({**recipe, "epochs": epochs}, sort_keys=True)
    before, after = (HERE / "retrain.py").read_text().split(MARK)
    return f"{before}RECIPE: dict[str, Any] = {text}\n{after}"


def trainer(manifest: Mapping[str, Any]) -> str:
    """Write the full retraining that entries are timed beside; empty for a benchmark that can have no such row."""
    return source(manifest["recipe"], int(manifest["recipe"]["epochs"])) if plan(manifest) else ""
