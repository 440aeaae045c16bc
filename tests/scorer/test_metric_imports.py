"""The metrics are pure: arrays in, numbers out, and nothing of Lethe behind them."""

import sys
from pathlib import Path

import services.scorer.metrics
from tests.imports import imports_of

PACKAGE = services.scorer.metrics.__name__
ALLOWED = set(sys.stdlib_module_names) | {"numpy", "scipy", "numba", "sklearn"}


def test_metrics_import_themselves_and_numerical_libraries_only() -> None:
    files = sorted(Path(services.scorer.metrics.__path__[0]).rglob("*.py"))
    foreign = {
        f"{path.name} imports {name}"
        for path in files
        for name in imports_of(path)
        if name.split(".")[0] not in ALLOWED and not f"{name}.".startswith(f"{PACKAGE}.")
    }
    assert len(files) > 20
    assert not foreign
