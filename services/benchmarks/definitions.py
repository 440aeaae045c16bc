"""The definition of a benchmark before it is built: the source of its data, its forget set, its training."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from services.benchmarks.datasets import Dataset
from services.benchmarks.datasets.registry import DATASETS, read_dataset
from services.benchmarks.poison import Poison
from services.benchmarks.recipes import NoisyDescent, Recipe
from services.benchmarks.scenarios import Scenario, parse_scenario
from services.benchmarks.stressing import DEFAULT_STRESS, StressRecipe

__all__ = ["Definition", "Faces", "Fractions", "Placebo", "Progress"]

Progress = Callable[[str, int, int], None]  # stage, done, total


@dataclass(frozen=True, slots=True)
class Fractions:
    """The sizes of a random split, as shares of the dataset; the rest is the test set."""

    train: float
    validation: float


@dataclass(frozen=True, slots=True)
class Placebo:
    """The reference algorithm that tells whether a benchmark measures forgetting: noise on every weight, then a recipe.

    It runs `models` times from the original model, and as often from each of `starts` models that never saw the forget
    set. If the oracle has fewer models, it runs that many times.
    """

    recipe: Recipe
    deviation: float = 0.03
    models: int = 512
    starts: int = 3


@dataclass(frozen=True, slots=True)
class Faces:
    """Synthetic faces that a build draws if no directory is given."""

    subjects: int
    images_per_subject: int
    seed: int = 0

    def describe(self) -> str:
        """Name the dataset."""
        return f"synthetic faces: {self.subjects} subjects, {self.images_per_subject} images of each, seed {self.seed}"

    def draw(self, cache: Path, progress: Callable[[int, int], None]) -> Path:
        """Draw the faces into the cache, unless they are there; return their directory."""
        from services.benchmarks.synthetic_faces import write_faces

        place = cache / f"synthetic-faces-{self.subjects}x{self.images_per_subject}-{self.seed}"
        if not place.is_dir():
            write_faces(
                place,
                subjects=self.subjects,
                images_per_subject=self.images_per_subject,
                seed=self.seed,
                progress=progress,
            )
        return place


@dataclass(frozen=True, slots=True)
class Definition:
    """The public description of a benchmark before it is built."""

    name: str
    title: str
    dataset: str  # one of DATASETS
    architecture: str  # one of ARCHITECTURES
    recipe: Recipe | NoisyDescent
    scenario: Scenario
    placebo: Placebo | None  # None if learning is certified: doing nothing takes its place
    split: Fractions | Literal["published"]
    split_seed: int = 0  # of the split and the forget set, if no secret decides them
    original_seed: int = 0  # of the original model, if no secret decides it
    standardise: bool = False  # inputs of mean 0 and variance 1 in every channel; else pixels as stored
    faces: Faces | None = None  # draws the dataset if no files are given
    seeds: int = 512  # models in each oracle, unless the build sets another number
    originals: int = 8  # over which runs are spread; notebooks all start from the first, certified runs have one each
    stress: StressRecipe = DEFAULT_STRESS  # of the robustness stage
    poison: Poison | None = None  # a trigger planted in some forget examples
    hours: float | None = None  # that a build takes on 2 cores without a GPU, as measured; None: minutes, or unknown
    only: tuple[int, ...] = ()  # the classes of the dataset that are used; all if empty

    def read(self, directory: Path | None, *, cache: Path, progress: Progress = lambda *_: None) -> Dataset:
        """Read the dataset from the directory of its files. Raises NoDirectory and BadDataset."""
        drawn = self.faces if directory is None else None
        if drawn is not None:
            directory = drawn.draw(cache, lambda done, total: progress("drawing faces", done, total))
        found = read_dataset(
            self.dataset, directory, cache=cache, progress=lambda done, total: progress("reading images", done, total)
        )
        if drawn is not None:
            found = replace(found, name=drawn.describe(), licence="none needed: drawn by Lethe")
        return found.only(self.only) if self.only else found

    def with_scenario(self, text: str | None) -> "Definition":
        """Replace the scenario; None changes nothing. Raises BadScenario, which says how to write one."""
        return self if text is None else replace(self, scenario=parse_scenario(text))

    @property
    def needs_data(self) -> bool:
        """Tell whether a build needs a directory of files."""
        return self.faces is None and DATASETS[self.dataset].needs_directory
