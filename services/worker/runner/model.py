"""Loading what a bundle says about its model: the architecture's source file, and data."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from services.worker.runner import tensors

__all__ = ["arrays_of", "build_model", "examples", "load_state"]


def build_model(architecture: Path) -> nn.Module:
    """Execute the benchmark's architecture file, which the organiser wrote, and call its `build()`."""
    spec = importlib.util.spec_from_file_location("architecture", architecture)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model: nn.Module = module.build()
    return model


def load_state(model: nn.Module, arrays: dict[str, NDArray[Any]]) -> None:
    """Copy arrays into the model, strictly: every name, every shape."""
    model.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}, strict=True)


def arrays_of(model: nn.Module, expected: tensors.Specs) -> dict[str, NDArray[Any]]:
    """Take a model's state dict as numpy arrays, in the expected dtypes where it has the expected names."""
    arrays = {}
    for name, value in model.state_dict().items():
        plain = value.detach().cpu()
        array = (plain.float() if plain.is_floating_point() else plain).numpy()
        arrays[name] = array.astype(tensors.numpy_dtype(expected[name][0])) if name in expected else array
    return arrays


def examples(path: Path) -> tuple[Tensor, Tensor]:
    """Read images float32 [n, ...] and labels int64 [n] of one split."""
    arrays = tensors.load(str(path))
    return torch.from_numpy(arrays["image"].copy()), torch.from_numpy(arrays["label"].copy())
