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
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError
from safetensors.numpy import load_file, save

from services.core.errors import BadInput
from services.core.measurements import Measurements

__all__ = [
    "MANIFEST",
    "BadBundle",
    "Bundle",
    "Counts",
    "DiskUse",
    "FileEntry",
    "Fitness",
    "Learning",
    "Manifest",
    "Origin",
    "TensorSpec",
    "UnfitBenchmark",
]

MANIFEST = "manifest.json"


class BadBundle(BadInput):
    code = "bad_bundle"


class UnfitBenchmark(BadInput):
    """A benchmark that does not measure forgetting; the message says why."""

    code = "unfit_benchmark"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Frozen):
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(ge=0)


class TensorSpec(_Frozen):
    name: str
    dtype: Literal["F32", "F16", "I64"]  # safetensors' names
    shape: tuple[int, ...]


class Counts(_Frozen):
    retain: int = Field(gt=0)
    forget: int = Field(gt=0)
    validation: int = Field(gt=0)
    test: int = Field(gt=0)


class Fitness(_Frozen):
    """What the build measured of the benchmark itself, by metric `neurips-2023`."""

    ceiling: float  # F of an independent oracle against the oracle
    expected_ceiling: float | None = None  # F between two samples of one normal distribution
    placebo_ratio: float  # F of one reference entry started from a model that never saw the forget set, over its F here
    original_forget_accuracy: float  # on the labels as trained, wrong ones included
    oracle_retain_accuracy: float  # mean over models
    oracle_test_accuracy: float
    majority_share: float | None = None  # accuracy of always guessing the commonest class of the test set
    original_quality: float | None = None  # F of the reference entry, started from the original model
    placebo_qualities: tuple[float, ...] = ()  # F of it, started from each of some models that never saw the forget set
    problems: tuple[str, ...] = ()  # why the benchmark is unfit, each with what to do


class Learning(_Frozen):
    """How certified originals and oracle were learned: what an accountant needs, as in `docs/certificates.md`."""

    strong_convexity: float = Field(gt=0)
    smoothness: float = Field(gt=0)
    lipschitz: float = Field(gt=0)
    sigma: float = Field(ge=0)
    published_sigma: float = Field(default=0.0, ge=0)
    batches: int = Field(default=1, gt=0)
    steps: int = Field(gt=0)
    radius: float = Field(gt=0)


class Origin(_Frozen):
    """From what a benchmark can be built again."""

    definition: str
    scenario: str | None = None  # in place of the definition's own, as on the command line
    drawn_for: str | None = None  # split, forget set and original derive from the secret and this name
    original_draw: int = Field(default=0, ge=0)  # which of the secret's originals was the first fit one


class DiskUse(_Frozen):
    """What was announced before the build started."""

    building_bytes: int = Field(ge=0)
    bundle_bytes: int = Field(ge=0)


class Manifest(_Frozen):
    schema_version: Literal[1] = 1
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    title: str
    dataset: str
    licence: str
    scenario: str  # how the forget set was drawn, in words
    split: str = "drawn at random"  # into train, validation and test, in words
    origin: Origin | None = None
    classes: int = Field(ge=2, le=256)
    input_shape: tuple[int, ...]
    counts: Counts
    architecture: str
    checkpoint: tuple[TensorSpec, ...]  # every tensor of a checkpoint, in name order
    recipe: dict[str, Any]  # how original and oracle were trained: public, so that retraining is a fair reference
    learning: Learning | None = None  # of a certified benchmark
    oracle_seeds: int = Field(gt=0)
    oracle_replaced: int = Field(default=0, ge=0)  # diverged models that the build retrained from another seed
    seed_commitment: str = Field(pattern=r"^[0-9a-f]{64}$")  # SHA-256 of the secret that seeds derive from
    device: Literal["cpu", "cuda"] = "cpu"  # that models were trained on: entries belong on the same class of device
    fitness: Fitness
    disk: DiskUse | None = None
    versions: dict[str, str]
    files: dict[Annotated[str, Field(pattern=r"^(public|hidden)/[a-z0-9_]+\.[a-z]+$")], FileEntry]

    _written: bytes | None = PrivateAttr(default=None)

    def to_bytes(self) -> bytes:
        """Give the manifest as it was written: fields that later versions add do not change what is there."""
        return self._written or (self.model_dump_json(indent=1) + "\n").encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest as written, in hex: the benchmark's identity."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        try:
            manifest = cls.model_validate_json(data)
        except ValidationError as error:
            raise BadBundle(f"The benchmark's manifest is not valid: {error}") from error
        manifest._written = data
        return manifest


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
