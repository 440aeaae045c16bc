"""Imports torchvision together with a CPU-only torch.

PyPI's torchvision is compiled against CUDA. With a CPU-only torch its extension does not load, and then its Python code
fails because it uses two operators of that extension: `operator torchvision::nms does not exist`. Declaring both
without an implementation is enough for models and transforms. Image decoding stays unavailable: use Pillow. If the
extension loads, as with Debian's packages, nothing is declared.

This file is also copied into sandboxes, so it imports only the standard library and torch.
"""

import importlib
import sys

import torch

__all__ = ["import_torchvision"]

_SCHEMAS = tuple(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor" for name in ("nms", "qnms"))
_declared: list[torch.library.Library] = []  # the declaration lasts as long as this object


def import_torchvision() -> None:
    """Import torchvision; declare its missing operators if it fails without them. Raises ImportError."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]  # only half imported
        if not _declared:
            library = torch.library.Library("torchvision", "DEF")
            for schema in _SCHEMAS:
                library.define(schema)
            _declared.append(library)
        importlib.import_module("torchvision")
