"""Declares torchvision's operators before torchvision is imported, in an image where its extensions cannot load.

Python runs this at each start, through a `.pth` file beside it that current.Dockerfile writes if a trial import fails.
"""

import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

__all__ = ["TorchvisionFinder"]


class TorchvisionFinder:
    """Finds torchvision as usual, and lets it be executed once its operators exist."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the usual spec, with another way to execute."""
        if name != "torchvision":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                from torchvision_operators import announce_images, declare_operators

                declare_operators()
                execute(module)
                announce_images()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, TorchvisionFinder)
