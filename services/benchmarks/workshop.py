"""The workshop of one build: order, secret, data, and the farm that trains its models."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.benchmarks.architecture import Architecture
from services.benchmarks.cutting import Cut
from services.benchmarks.definitions import Progress
from services.benchmarks.farm import Farm, Job
from services.benchmarks.order import Order
from services.core.seeds import derive_seeds

__all__ = ["ANCHORS", "ORACLE", "Workshop"]

ORACLE = "oracle"  # the stage in which the oracle is trained
ANCHORS = 64  # its first models, that entries are compared with under stress


@dataclass(frozen=True, slots=True, eq=False)
class Workshop:
    """Everything that a build needs to train models."""

    order: Order
    secret: bytes
    cut: Cut
    architecture: Architecture
    farm: Farm
    progress: Progress

    def seeds(self, what: str, count: int) -> list[int]:
        """Derive the seeds of a purpose from the build's secret."""
        return derive_seeds(self.secret, self.order.purpose(what), count)

    def job(self, *, keep_models: bool) -> Job:
        """Describe the training of models by the definition's recipe."""
        return Job(self.order.definition.recipe, keep_models=keep_models)

    def train(self, job: Job, seeds: Sequence[int], stage: str) -> list[Path]:
        """Train one model per seed, report progress under the name of the stage, and return the files."""
        return self.farm.run(job, seeds, lambda done: self.progress(stage, done, len(seeds)))

    def retrain(self, stage: str, seeds: Sequence[int], first: int = 0) -> list[Path]:
        """Train models of an oracle, the first of them at place `first`; keep those whole that serve as anchors."""
        anchors = ANCHORS if self.order.robustness and stage == ORACLE else 0
        kept = max(0, anchors - first)
        parts = [(True, seeds[:kept]), (self.order.keep_checkpoints, seeds[kept:])]
        return [file for keep, own in parts if own for file in self.train(self.job(keep_models=keep), own, stage)]
