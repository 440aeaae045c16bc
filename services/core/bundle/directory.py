"""A benchmark bundle on disk: a manifest and the files that it names by hash. This module reads and checks only.

manifest.json               the schema of `manifest.py`; its SHA-256 is the benchmark's digest
public/                     files that a sandbox may see
    architecture.py             defines build() -> torch.nn.Module
    original.safetensors        state dict of the original model
    retain.safetensors          image [n, ...] float32 or uint8, label [n] int64
    forget.safetensors          same
    validation.safetensors      same
hidden/                     files that only the trusted side may see
    test.safetensors            same
    probe.safetensors           index [<= 2000] int64 into the retain set
    oracle.safetensors          core.measurements.Measurements of the oracle
    second_oracle.safetensors   measurements of as many independently retrained models, for the ceiling
    original.safetensors        measurements of the original model, or of all K of them
    untrained.safetensors       measurements of a few randomly initialised models
    remarks.json                sentences about the data, if the build noticed something; they name test images
    originals.safetensors       the K state dicts from which runs start, stacked, if K > 1: seed i starts from i mod K
    placebos.safetensors        K state dicts of models that never saw the forget set, stacked, if K > 1
    placebo.safetensors         their measurements
    stress.safetensors          the seed [1] of the robustness stage, and its controls [C], which index the test set
    stress_oracle.safetensors   stress readings of some models of the oracle
    stress_original.safetensors the same of the original model, or of all K of them
    poison.safetensors          test images with the trigger, and the label that it was planted with
Images may be uint8. A model's input is then their float32 value; if the split has scale [channels] and shift
[channels], it is multiplied by the first and increased by the second. A split may also have subject [n] int64, which
tells whose data an example is. Bundles may lack all files after `oracle`; the last four come with the robustness stage,
and the placebos, for the placebo audit, with several originals. The original alone can move a score by a factor of 3,
so a benchmark can hold several, learned independently; the public one is the first of them. A certificate holds for a
randomly trained original model, so in certified benchmarks every run starts from a different one; there the public one
is an additional model for experiments.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save

from services.core.bundle.manifest import LEAST_PLACEBOS, MANIFEST, BadBundle, Manifest, UnfitBenchmark
from services.core.bundle.measurements import Measurements
from services.core.bundle.stress import StressReadings

__all__ = ["REMARKS", "Bundle", "start_of"]

REMARKS = "hidden/remarks.json"


def start_of(seed: int, originals: int) -> int:
    """Return the place of the original model from which the run of a seed starts."""
    return seed % originals


class Bundle:
    """A bundle directory with its manifest read. `verify` checks the contents of the files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        path = root / MANIFEST
        if not path.is_file():
            raise BadBundle(
                f"{root} is not a benchmark: {MANIFEST} is missing. Run `lethe benchmark build` to build one."
            )
        self.manifest = Manifest.from_bytes(path.read_bytes())
        self._stacked: dict[str, dict[str, NDArray[Any]]] = {}

    @property
    def public(self) -> Path:
        """The directory with the files that a sandbox may see."""
        return self.root / "public"

    @property
    def hidden(self) -> Path:
        """The directory with the files that only the trusted side may see."""
        return self.root / "hidden"

    def arrays(self, relative: str) -> dict[str, NDArray[Any]]:
        """Load one safetensors file of the bundle."""
        return load_file(self.root / relative)

    def forget_labels(self) -> NDArray[np.int64]:
        """Load the labels of the forget set, [S]."""
        labels: NDArray[np.int64] = self.arrays("public/forget.safetensors")["label"]
        return labels

    def test_labels(self) -> NDArray[np.int64]:
        """Load the labels of the test set, [T]."""
        labels: NDArray[np.int64] = self.arrays("hidden/test.safetensors")["label"]
        return labels

    def probe_labels(self) -> NDArray[np.int64]:
        """Load the labels of the probed retain examples, those whose predictions are kept, [P]."""
        index = self.arrays("hidden/probe.safetensors")["index"]
        labels: NDArray[np.int64] = self.arrays("public/retain.safetensors")["label"][index]
        return labels

    def forget_subjects(self) -> NDArray[np.int64] | None:
        """Load the subject of each forget example, [S]; None if the dataset names no subjects."""
        return self.arrays("public/forget.safetensors").get("subject")

    def oracle(self) -> Measurements:
        """Read the measurements of the oracle."""
        return Measurements.from_file(self.hidden / "oracle.safetensors")

    def measurements_of(
        self, name: Literal["second_oracle", "original", "placebo", "untrained"]
    ) -> Measurements | None:
        """Read the measurements of other models; None if the bundle was built without them."""
        relative = f"hidden/{name}.safetensors"
        return Measurements.from_file(self.root / relative) if relative in self.manifest.files else None

    def stress_of(self, name: Literal["oracle", "original"]) -> StressReadings | None:
        """Read the stress readings of the anchors; None if the bundle was built without the robustness stage."""
        relative = f"hidden/stress_{name}.safetensors"
        if relative not in self.manifest.files:
            return None
        return StressReadings.from_bytes((self.root / relative).read_bytes())

    def remarks(self) -> tuple[str, ...]:
        """Read what the build noticed in its data."""
        if REMARKS not in self.manifest.files:
            return ()
        return tuple(json.loads((self.root / REMARKS).read_text(encoding="utf-8")))

    @property
    def has_originals(self) -> bool:
        """Tell whether runs start from several original models."""
        return "hidden/originals.safetensors" in self.manifest.files

    @property
    def has_placebos(self) -> bool:
        """Tell whether placebo runs are possible: they start from models that never saw the forget set."""
        return self.manifest.placebos >= LEAST_PLACEBOS and self.has_originals

    def original_of(self, seed: int) -> bytes:
        """Return the state dict from which the run of one seed starts, as a safetensors file."""
        return self._model("originals", self.place_of(seed))

    def placebo_of(self, seed: int) -> bytes:
        """Return the state dict from which the placebo run of one seed starts, as a safetensors file."""
        return self._model("placebos", start_of(seed, self.manifest.placebos))

    def place_of(self, seed: int) -> int:
        """Return the place of the original from which the run of a seed starts; no certified one serves twice."""
        certified = self.manifest.learning is not None
        return seed if certified else start_of(seed, self.manifest.originals)

    def _model(self, name: str, place: int) -> bytes:
        if name not in self._stacked:
            self._stacked[name] = self.arrays(f"hidden/{name}.safetensors")
        return save({part: np.ascontiguousarray(models[place]) for part, models in self._stacked[name].items()})

    def require_fit(self) -> None:
        """Raise UnfitBenchmark, with the reasons, if it does not measure forgetting and nobody accepted that."""
        problems = self.manifest.fitness.problems
        if problems and self.manifest.accepted_unfit is None:
            raise UnfitBenchmark(
                f"{self.manifest.name} cannot be used in a competition. {' '.join(problems)} To use it all the same, "
                f"give your reason, which everyone will see: lethe benchmark publish {self.manifest.name} "
                '--accept-unfit "REASON".'
            )

    def verify(self) -> None:
        """Compare every file with the manifest's hash. Raises BadBundle naming the first that differs or is missing."""
        for relative, entry in self.manifest.files.items():
            path = self.root / relative
            if not path.is_file():
                raise BadBundle(f"{path} is missing. Build or import the benchmark again.")
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != entry.sha256:
                raise BadBundle(
                    f"{path} is damaged: its SHA-256 is {found}; the manifest says {entry.sha256}. "
                    "Build or import the benchmark again."
                )
