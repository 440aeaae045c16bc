"""Tells what an environment holds: one line of JSON with Python's version, the packages, and what can be imported."""

import json
import pkgutil
import platform
import sys
from importlib.metadata import distributions, packages_distributions

__all__ = ["inventory"]

NOT_FOR_ENTRIES = {"services", "sitecustomize", "test"}  # of Lethe and of Python itself


def inventory() -> dict[str, object]:
    """List the version of Python and of each distribution, and the modules beside those of the standard library."""
    packages = {str(one.metadata["Name"]).lower(): one.version for one in distributions()}
    named = {module.name for module in pkgutil.iter_modules()} | packages_distributions().keys()
    importable = {name for name in named if name.isidentifier() and not name.startswith("_")}
    return {
        "python": platform.python_version(),
        "packages": dict(sorted(packages.items())),
        "modules": sorted(importable - sys.stdlib_module_names - NOT_FOR_ENTRIES),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(inventory()) + "\n")
