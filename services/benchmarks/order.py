"""What is to be built, and which seeds that takes."""

from dataclasses import dataclass

from services.benchmarks.cutting import Cut, cut
from services.benchmarks.datasets import Dataset
from services.benchmarks.definitions import Definition
from services.benchmarks.fitness import MIN_PLACEBO_RATIO, ForgettingQuality
from services.core.seeds import derive_seed, derive_seeds

__all__ = ["Order"]

MOST_ORIGINALS = 10  # drawn from a secret until one is fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be built.

    The oracle's seeds derive from the secret (random when None), which is forgotten: only its hash stays in the
    manifest. With `drawn_for`, the split, the forget set and the original model derive from the secret too, others for
    each name: what a final phase is judged on is settled, and hidden, before a competition begins, and whoever is told
    the secret afterwards can check it.
    """

    definition: Definition
    dataset: Dataset
    seeds: int  # models in each oracle
    quality: ForgettingQuality
    name: str | None = None  # of the bundle; None: the definition's
    scenario_text: str | None = None  # as given on a command line, where the definition's own was replaced
    secret: bytes | None = None
    drawn_for: str | None = None
    min_placebo_ratio: float = MIN_PLACEBO_RATIO
    keep_checkpoints: bool = False

    def purpose(self, what: str) -> str:
        """Name what a seed is for, so that no two of a secret's seeds are alike."""
        return what if self.drawn_for is None else f"{self.drawn_for}|{what}"

    def cut(self, secret: bytes) -> Cut:
        """Cut the dataset."""
        drawn = None if self.drawn_for is None else derive_seed(secret, self.purpose("split"), 0)
        return cut(self.definition, self.dataset, drawn_from=drawn)

    def original_seeds(self, secret: bytes) -> list[int]:
        """Give the seeds of the original models to try, the first fit one of which is taken."""
        if self.drawn_for is None:
            return [self.definition.original_seed]
        return derive_seeds(secret, self.purpose("original"), MOST_ORIGINALS)
