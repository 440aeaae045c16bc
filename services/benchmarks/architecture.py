"""Finds an architecture by name, for one input shape and number of classes."""

import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from torch import nn

from services.benchmarks import architectures
from services.benchmarks.torchvision_operators import import_torchvision

__all__ = ["ARCHITECTURES", "Architecture"]

FOLDER = Path(architectures.__file__).parent
ARCHITECTURES = tuple(sorted(path.stem for path in FOLDER.glob("[a-z]*.py")))


@dataclass(frozen=True, slots=True)
class Architecture:
    """An architecture. Call it to get an untrained model, initialised from torch's global generator."""

    name: str  # one of ARCHITECTURES
    input_shape: tuple[int, ...]
    classes: int

    def __call__(self) -> nn.Module:
        if "torchvision" in self.source():
            import_torchvision()
        module = importlib.import_module(f"{architectures.__name__}.{self.name}")
        model: nn.Module = module.make(self.input_shape, self.classes)
        return model

    def source(self) -> str:
        """Return the text of a self-contained file that defines `build() -> torch.nn.Module`."""
        text = (FOLDER / f"{self.name}.py").read_text(encoding="utf-8")
        fixed = f"make(input_shape={self.input_shape!r}, classes={self.classes})"
        return f'{text}\n\ndef build() -> nn.Module:\n    """Make this benchmark\'s model."""\n    return {fixed}\n'

    def is_linear_algebra(self) -> bool:
        """Tell whether all parameters belong to linear layers; if so, many models become one batched product."""
        return _is_linear_algebra(self)

    def stacks(self) -> bool:
        """Tell whether vmap computes many models in one call of each layer; attention and dropout it does not."""
        return _stacks(self)


@cache
def _is_linear_algebra(architecture: Architecture) -> bool:
    layers = [module for module in architecture().modules() if list(module.parameters(recurse=False))]
    return all(isinstance(layer, nn.Linear) for layer in layers)


@cache
def _stacks(architecture: Architecture) -> bool:
    modules = list(architecture().modules())
    layers = [module for module in modules if list(module.parameters(recurse=False))]
    plain = all(type(layer) in (nn.Linear, nn.Conv2d, nn.BatchNorm2d) for layer in layers)
    return plain and not any(isinstance(module, nn.Dropout) for module in modules)
