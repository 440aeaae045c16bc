"""Loads a bundle's architecture, state dicts and data."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from services.benchmarks.torchvision_operators import import_torchvision
from services.worker.runner import dress, tensors

__all__ = ["arrays_of", "build_model", "examples", "load_state"]


def build_model(architecture: Path) -> nn.Module:
    """Execute the benchmark's architecture file, which comes from the organiser, and call its `build()`."""
    if "torchvision" in architecture.read_text(encoding="utf-8"):
        import_torchvision()
    spec = importlib.util.spec_from_file_location("architecture", architecture)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model: nn.Module = module.build()
    return model


def load_state(model: nn.Module, arrays: dict[str, NDArray[Any]]) -> None:
    """Copy arrays into the model; every name and shape must match."""
    model.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}, strict=True)


def arrays_of(model: nn.Module, expected: tensors.Specs) -> dict[str, NDArray[Any]]:
    """Return a model's state dict as arrays of the architecture. Raises BadTensors if the model is of another one."""
    return dress.plain_arrays(model.state_dict(), expected, remedy="return a model of the benchmark's architecture")


def examples(path: Path) -> tuple[Tensor, Tensor]:
    """Read the model inputs float32 [n, ...] and labels int64 [n] of one split.

    Images stored as bytes become float32. If the split has `scale` and `shift`, each channel is then multiplied by the
    first and increased by the second.
    """
    arrays = {name: torch.from_numpy(array.copy()) for name, array in tensors.load(str(path)).items()}
    images = arrays["image"].float()
    if "scale" in arrays:
        images = images.mul_(arrays["scale"].view(-1, 1, 1)).add_(arrays["shift"].view(-1, 1, 1))
    return images, arrays["label"]
