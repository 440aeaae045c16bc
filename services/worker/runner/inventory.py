"""Tells what an environment holds: one line of JSON with Python's version, the packages, and what can be imported."""

import json
import pkgutil
import platform
import sys
from importlib.metadata import distributions

__all__ = ["inventory"]


def inventory() -> dict[str, object]:
    """List the version of Python and of each distribution, and the modules beside those of the standard library."""
    packages = {str(one.metadata["Name"]).lower(): one.version for one in distributions()}
    importable = {module.name for module in pkgutil.iter_modules() if not module.name.startswith("_")}
    return {
        "python": platform.python_version(),
        "packages": dict(sorted(packages.items())),
        "modules": sorted(importable - sys.stdlib_module_names),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(inventory()) + "\n")
