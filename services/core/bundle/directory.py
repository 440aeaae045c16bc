"""A benchmark bundle on disk: a manifest and the files that it names by hash. Reading and checking only; no training.

manifest.json               this schema; its SHA-256 is the benchmark's digest
public/                     what a sandbox may see
    architecture.py             defines build() -> torch.nn.Module
    original.safetensors        state dict of the original model
    retain.safetensors          image [n, ...] float32 or uint8, label [n] int64
    forget.safetensors          same
    validation.safetensors      same
hidden/                     what only the trusted side may see
    test.safetensors            same
    probe.safetensors           index [<= 2000] int64 into the retain set
    oracle.safetensors          core.measurements.Measurements of the oracle
    second_oracle.safetensors   of as many models retrained independently: what the ceiling is measured by
    original.safetensors        of the original model; of all of them, in certified benchmarks
    untrained.safetensors       of a few randomly initialised models
    originals.safetensors       in certified benchmarks: for each seed the state dict where its run starts, stacked
Images may be uint8: a model's input is then their float32 value, times scale [channels] plus shift [channels] where the
split holds these. A split may also hold subject [n] int64: whose data an example is. The last four files came later: a
bundle may lack them. A certificate speaks of an original learned at random, so in certified benchmarks every run starts
from an original of its own, and the public one is a further one, to try things on.
"""

import hashlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save

from services.core.bundle.manifest import MANIFEST, BadBundle, Manifest, UnfitBenchmark
from services.core.bundle.measurements import Measurements

__all__ = ["Bundle"]


class Bundle:
    """A bundle directory whose manifest has been read. File contents are checked by `verify`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        path = root / MANIFEST
        if not path.is_file():
            raise BadBundle(f"{root} is not a benchmark: it has no {MANIFEST}. Build one with `lethe benchmark build`.")
        self.manifest = Manifest.from_bytes(path.read_bytes())
        self._originals: dict[str, NDArray[Any]] | None = None

    @property
    def public(self) -> Path:
        return self.root / "public"

    @property
    def hidden(self) -> Path:
        return self.root / "hidden"

    def arrays(self, relative: str) -> dict[str, NDArray[Any]]:
        """Load one safetensors file of the bundle."""
        return load_file(self.root / relative)

    def forget_labels(self) -> NDArray[np.int64]:
        labels: NDArray[np.int64] = self.arrays("public/forget.safetensors")["label"]
        return labels

    def test_labels(self) -> NDArray[np.int64]:
        labels: NDArray[np.int64] = self.arrays("hidden/test.safetensors")["label"]
        return labels

    def probe_labels(self) -> NDArray[np.int64]:
        """Labels of the retain examples whose predictions are kept."""
        index = self.arrays("hidden/probe.safetensors")["index"]
        labels: NDArray[np.int64] = self.arrays("public/retain.safetensors")["label"][index]
        return labels

    def forget_subjects(self) -> NDArray[np.int64] | None:
        """Whose data each forget example is, where the dataset knows."""
        return self.arrays("public/forget.safetensors").get("subject")

    def oracle(self) -> Measurements:
        return Measurements.from_file(self.hidden / "oracle.safetensors")

    def measurements_of(self, name: Literal["second_oracle", "original", "untrained"]) -> Measurements | None:
        """Read what was measured of other models; None where the bundle was built without them."""
        relative = f"hidden/{name}.safetensors"
        return Measurements.from_file(self.root / relative) if relative in self.manifest.files else None

    @property
    def has_originals(self) -> bool:
        """Tell whether every run starts from an original of its own."""
        return "hidden/originals.safetensors" in self.manifest.files

    def original_of(self, seed: int) -> bytes:
        """Give the state dict, as a safetensors file, from which the run of one seed starts."""
        if self._originals is None:
            self._originals = self.arrays("hidden/originals.safetensors")
        return save({name: np.ascontiguousarray(stacked[seed]) for name, stacked in self._originals.items()})

    def require_fit(self) -> None:
        """Raise UnfitBenchmark, saying why, unless the benchmark measures forgetting."""
        if problems := self.manifest.fitness.problems:
            raise UnfitBenchmark(f"{self.manifest.name} is not fit for a competition. " + " ".join(problems))

    def verify(self) -> None:
        """Compare every file with the manifest's hash. Raises BadBundle naming the first that differs or is missing."""
        for relative, entry in self.manifest.files.items():
            path = self.root / relative
            if not path.is_file():
                raise BadBundle(f"{path} is missing. Build or import the benchmark again.")
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != entry.sha256:
                raise BadBundle(f"{path} is damaged: its SHA-256 is {found}, the manifest says {entry.sha256}.")
