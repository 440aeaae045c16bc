"""A benchmark's manifest: its description, its making, every file by hash. Its own SHA-256 names the benchmark."""

import hashlib
from math import prod
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from services.core.errors import BadInput
from services.core.text import tidy

__all__ = [
    "LEAST_PLACEBOS",
    "MANIFEST",
    "PLACEBO_RUNS",
    "BadBundle",
    "Counts",
    "DiskUse",
    "FileEntry",
    "Fitness",
    "Learning",
    "Manifest",
    "NoPlacebos",
    "NoRobustness",
    "Origin",
    "Robustness",
    "TensorSpec",
    "TooManyModels",
    "UnfitBenchmark",
    "placebo_runs",
    "require_oracle",
    "robustness_of",
]

MANIFEST = "manifest.json"
MOST_MISTAKES = 3  # that are named of a manifest
MOST_CHARACTERS = 600
LEAST_PLACEBOS = 4  # models that never saw the forget set, fewer of which say nothing about what a run takes over
PLACEBO_RUNS = 64  # the most that an evaluation gets beside its own


class BadBundle(BadInput):
    code = "bad_bundle"


class UnfitBenchmark(BadInput):
    """A benchmark that does not measure forgetting; the message says why."""

    code = "unfit_benchmark"


class TooManyModels(BadInput):
    code = "too_many_models"


class NoRobustness(BadInput):
    """A benchmark that was built without what the robustness stage compares with."""

    code = "no_robustness"


class NoPlacebos(BadInput):
    """A benchmark that was built without models from which placebo runs could start."""

    code = "no_placebos"


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
    """The build's measurements of the benchmark itself, by metric `neurips-2023`."""

    ceiling: float  # F of an independent oracle against the oracle
    expected_ceiling: float | None = None  # F between two samples from one normal distribution
    placebo_ratio: float  # F of one reference entry started from a model that never saw the forget set, over its F here
    original_forget_accuracy: float  # on the labels used in training, including wrong ones
    oracle_retain_accuracy: float  # mean over models
    oracle_test_accuracy: float
    majority_share: float | None = None  # accuracy of always guessing the commonest class of the test set
    original_quality: float | None = None  # F of the reference entry, started from the original model
    placebo_qualities: tuple[
        float, ...
    ] = ()  # F of the reference entry, started from each of several models that never saw the forget set
    problems: tuple[str, ...] = ()  # why the benchmark is unfit, each with a remedy


class Learning(_Frozen):
    """How certified original models and the oracle were trained: an accountant's input, see `docs/certificates.md`."""

    strong_convexity: float = Field(gt=0)
    smoothness: float = Field(gt=0)
    lipschitz: float = Field(gt=0)
    sigma: float = Field(ge=0)
    published_sigma: float = Field(default=0.0, ge=0)
    batches: int = Field(default=1, gt=0)
    steps: int = Field(gt=0)
    radius: float = Field(gt=0)


class Origin(_Frozen):
    """Everything needed to build a benchmark again."""

    definition: str
    scenario: str | None = None  # replaces the definition's scenario, written as on the command line
    drawn_for: str | None = None  # split, forget set and original model derive from the secret and this name
    original_draw: int = Field(default=0, ge=0)  # index of the first fit original model that the secret gives


class Robustness(_Frozen):
    """How the robustness stage puts models under stress, and what that cost while the benchmark was built."""

    recipe: dict[str, Any]  # a StressRecipe of services/benchmarks/stressing.py
    oracle: int = Field(gt=1)  # models of the oracle that were put under stress
    relearned: int = Field(gt=1)  # of these, those that relearned, and seeds of each evaluation that do
    poisoned: int = Field(default=0, ge=0)  # hidden images with the trigger that the original learned
    reading_s: float = Field(ge=0)  # of one model, on one core of the building machine, median
    relearning_s: float = Field(ge=0)  # more for each model that relearns
    memory_bytes: int = Field(ge=0)  # the most of a process that measured them

    def extra_s(self, seeds: int) -> float:
        """Return how much longer measuring an evaluation of so many runs takes on one core of the building machine."""
        return seeds * self.reading_s + min(seeds, self.relearned) * self.relearning_s

    def in_words(self, seeds: int) -> str:
        """Announce what the stage costs."""
        return (
            f"The robustness stage takes about {self.extra_s(seeds):.0f} s more for {seeds} runs, on one core, and up "
            f"to {self.memory_bytes / 1e6:.0f} MB of memory. It does not count as run time of the submission."
        )


class DiskUse(_Frozen):
    """The disk space announced before the build started."""

    building_bytes: int = Field(ge=0)
    bundle_bytes: int = Field(ge=0)


class Manifest(_Frozen):
    schema_version: Literal[1] = 1
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    title: str
    dataset: str
    licence: str
    scenario: str  # in words, how the forget set was drawn
    problem: Literal["untraining"] = "untraining"  # remove the influence of examples: retraining is the reference
    split: str = "drawn at random"  # in words, how train, validation and test sets were made
    origin: Origin | None = None
    classes: int = Field(ge=2, le=256)
    input_shape: tuple[int, ...]
    counts: Counts
    architecture: str
    checkpoint: tuple[TensorSpec, ...]  # every tensor of a checkpoint, in name order
    recipe: dict[str, Any]  # how original model and oracle were trained; public, so that retraining is a fair reference
    learning: Learning | None = None  # only in a certified benchmark
    oracle_seeds: int = Field(gt=0)
    originals: int = Field(default=1, gt=0)  # models from which runs start, learned independently
    placebos: int = Field(default=0, ge=0)  # models that never saw the forget set, from which placebo runs start
    oracle_replaced: int = Field(
        default=0, ge=0
    )  # number of diverged models that the build retrained from another seed
    seed_commitment: str = Field(pattern=r"^[0-9a-f]{64}$")  # SHA-256 of the secret from which seeds derive
    device: Literal["cpu", "cuda"] = "cpu"  # the models were trained on it, so entries should run on the same kind
    fitness: Fitness
    accepted_unfit: str | None = Field(
        default=None, min_length=1, max_length=500
    )  # why it is used although it is unfit
    disk: DiskUse | None = None
    robustness: Robustness | None = None  # None if the robustness stage cannot run on it
    versions: dict[str, str]
    files: dict[Annotated[str, Field(pattern=r"^(public|hidden)/[a-z0-9_]+\.[a-z]+$")], FileEntry]

    _written: bytes | None = PrivateAttr(default=None)

    def to_bytes(self) -> bytes:
        """Return the manifest's bytes as first written, so that fields of later versions do not change its digest."""
        return self._written or (self.model_dump_json(indent=1) + "\n").encode()

    @property
    def parameters(self) -> int:
        """The count of numbers in one checkpoint."""
        return sum(prod(tensor.shape) for tensor in self.checkpoint)

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest as written, in hex: the benchmark's identity."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a manifest. Raises BadBundle if it is not valid."""
        try:
            manifest = cls.model_validate_json(data)
        except ValidationError as error:
            found = [f"{'.'.join(map(str, one['loc'])) or 'all of it'}: {one['msg']}" for one in error.errors()]
            shown = tidy("; ".join(found[:MOST_MISTAKES]), limit=MOST_CHARACTERS)
            raise BadBundle(f"The benchmark's manifest is invalid: {shown}. Build the benchmark again.") from error
        manifest._written = data
        return manifest


def robustness_of(manifest: Manifest) -> Robustness:
    """Return what a benchmark's robustness stage is. Raises NoRobustness if it was built without."""
    if manifest.robustness is None:
        name = manifest.origin.definition if manifest.origin else manifest.name
        raise NoRobustness(
            f"The benchmark {manifest.name} was built without anchors for the robustness stage. Build it again with "
            f"`lethe benchmark build {name} --robustness`, or leave the stage off."
        )
    return manifest.robustness


def placebo_runs(manifest: Manifest, seeds: int) -> int:
    """Return how many placebo runs an evaluation of so many runs gets. Raises NoPlacebos."""
    if manifest.placebos < LEAST_PLACEBOS:
        name = manifest.origin.definition if manifest.origin else manifest.name
        raise NoPlacebos(
            f"The benchmark {manifest.name} was built without placebo models, so no placebo audit is possible. Build "
            f"it again with `lethe benchmark build {name}`, with several originals, or leave the audit off."
        )
    return min(seeds, PLACEBO_RUNS)


def require_oracle(models: int, oracle_seeds: int) -> None:
    """Raise TooManyModels if an oracle has fewer models than an evaluation that is to be compared with it."""
    if models > oracle_seeds:
        raise TooManyModels(
            f"The benchmark's oracle has {oracle_seeds} models, fewer than {models}. Use at most {oracle_seeds} runs."
        )
