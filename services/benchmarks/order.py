"""The order for a build, and the purposes from which its seeds derive."""

from dataclasses import dataclass

from services.benchmarks.cutting import Cut, cut
from services.benchmarks.datasets import Dataset
from services.benchmarks.definitions import Definition
from services.benchmarks.fitness import MIN_PLACEBO_RATIO, ForgettingQuality
from services.core.seeds import derive_seed, derive_seeds

__all__ = ["Order"]

MOST_ORIGINALS = 10  # drawn from the secret until one is fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order to build a benchmark.

    The oracle's seeds derive from the secret (random if None); afterwards only its hash remains, in the manifest. With
    `drawn_for`, the split, the forget set and the original model derive from the secret and this name, too. So the
    benchmark of a final phase is fixed but hidden before the competition begins, and anyone who learns the secret
    afterwards can check it.
    """

    definition: Definition
    dataset: Dataset
    seeds: int  # models in each oracle
    quality: ForgettingQuality
    name: str | None = None  # of the bundle; None: the definition's name
    scenario_text: str | None = None  # as given on the command line, if it replaced the definition's scenario
    secret: bytes | None = None
    drawn_for: str | None = None
    originals: int = 1  # models over which runs are spread; certified benchmarks have one for each seed
    min_placebo_ratio: float = MIN_PLACEBO_RATIO
    keep_checkpoints: bool = False
    robustness: bool = False  # measure anchors for the robustness stage

    @property
    def placebos(self) -> int:
        """Count the models that never saw the forget set and are kept as starts of placebo runs: as many as originals.

        None are kept if all runs start from one original, because the placebo audit compares starts with one another.
        """
        return self.originals if self.definition.placebo is not None and self.originals > 1 else 0

    def purpose(self, what: str) -> str:
        """Name the purpose of a seed, so that no two seeds of a secret are equal."""
        return what if self.drawn_for is None else f"{self.drawn_for}|{what}"

    def cut(self, secret: bytes) -> Cut:
        """Split the dataset."""
        drawn = None if self.drawn_for is None else derive_seed(secret, self.purpose("split"), 0)
        return cut(self.definition, self.dataset, drawn_from=drawn)

    def original_seeds(self, secret: bytes) -> list[int]:
        """Return the seeds of the original models to try; the build uses the first fit one."""
        if self.drawn_for is None:
            return [self.definition.original_seed]
        return derive_seeds(secret, self.purpose("original"), MOST_ORIGINALS)
