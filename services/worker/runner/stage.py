"""The robustness stage of the measurer: it puts models under stress by `services/benchmarks/stressing.py`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from services.benchmarks.stressing import Labelled, Stress, StressRecipe
from services.worker.runner import tensors
from services.worker.runner.model import build_model, examples

__all__ = ["Stage"]

Arrays = dict[str, NDArray[Any]]


class Stage:
    """The stage of a benchmark whose splits `forget`, `retain` and `test` are in memory."""

    def __init__(self, bundle: Path, splits: dict[str, Labelled]) -> None:
        described = json.loads((bundle / "manifest.json").read_bytes())["robustness"]
        drawn = tensors.load(str(bundle / "hidden" / "stress.safetensors"))
        poison = bundle / "hidden" / "poison.safetensors"
        self._stress = Stress(
            build_model(bundle / "public" / "architecture.py"),
            StressRecipe.of_dict(described["recipe"]),
            int(drawn["seed"][0]),
            forget=splits["forget"],
            controls=splits["test"].take(drawn["controls"]),
            retain=splits["retain"],
            poison=Labelled(*examples(poison)) if poison.is_file() else None,
        )
        self._originals = _originals(bundle)

    def read(self, state: Arrays, *, start: int, relearn: bool) -> Arrays:
        """Read one model, whose run started from the original with this place."""
        original = {name: _tensor(stacked[start]) for name, stacked in self._originals.items()}
        found = self._stress.read({name: _tensor(value) for name, value in state.items()}, original, relearn=relearn)
        del found["seconds"]  # a reading depends on the checkpoint alone
        return found


def _originals(bundle: Path) -> Arrays:
    """Load the originals from which runs start, stacked."""
    several = bundle / "hidden" / "originals.safetensors"
    if several.is_file():
        return tensors.load(str(several))
    return {name: array[None] for name, array in tensors.load(str(bundle / "public" / "original.safetensors")).items()}


def _tensor(array: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(np.array(array))
