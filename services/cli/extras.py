"""What `lethe evaluate` can do beside running and scoring an entry: each part says what it costs before it begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.cli.console import say
from services.core.errors import BadInput

if TYPE_CHECKING:
    from services.core.bundle.directory import Bundle
    from services.core.models.costs import CostForm
    from services.worker.station import SeedTime

__all__ = ["Extras", "cost_in_words", "cost_of_runs"]


@dataclass(frozen=True, slots=True)
class Extras:
    """The parts that were asked for."""

    robustness: bool = False  # read every model under stress
    placebo_audit: bool = False  # also start runs from models that never saw the forget set
    cost: bool = False  # also time full retraining beside some runs

    def stresses(self, bundle: "Bundle", seeds: int) -> bool:
        """Return whether models are read under stress. Raises NoRobustness."""
        from services.core.bundle.manifest import robustness_of

        if self.robustness:
            say(robustness_of(bundle.manifest).in_words(seeds))
        return self.robustness

    def placebos(self, bundle: "Bundle", seeds: int) -> int:
        """Return the number of placebo runs. Raises NoPlacebos."""
        from services.core.bundle.manifest import placebo_runs

        if not self.placebo_audit:
            return 0
        runs = placebo_runs(bundle.manifest, seeds)
        say(f"The placebo audit adds {runs} runs, which start from models that never saw the forget set.")
        return runs

    def trained(self, seeds: int) -> frozenset[int]:
        """Return the seeds beside which full retraining is timed."""
        from services.core.references.planning import beside

        return beside(seeds) if self.cost else frozenset()

    def trainer(self, bundle: "Bundle", seeds: int) -> str:
        """Return the source of the full retraining that runs are timed beside; empty if it was not asked for.

        Raises BadInput if a benchmark cannot tell how its models were trained.
        """
        from services.benchmarks.references import trainer
        from services.core.references.planning import why_none

        if not self.cost:
            return ""
        manifest = bundle.manifest.model_dump(mode="json")
        if why_none(manifest):
            raise BadInput("This benchmark has no retraining of the platform to compare with. Leave out --cost.")
        count = len(self.trained(seeds))
        say(f"Full retraining and an empty run also run {count} times, beside runs of the entry, to compare times.")
        return trainer(manifest)


def cost_of_runs(times: "Sequence[SeedTime]") -> "CostForm | None":
    """Return what a run takes of full retraining; None if none was timed. All runs count as of one sandbox."""
    from services.scorer.costs import RunTime, cost_of

    return cost_of(
        RunTime(None, one.run_s, one.cpu_s, *(one.trainer or (None, None)), *(one.empty or (None, None)))
        for one in times
    )


def cost_in_words(cost: dict[str, float | str]) -> str:
    """Return one line for the JSON form of a cost."""
    interval = f"{cost['ratio']:.3f}    95% {cost['low']:.3f} to {cost['high']:.3f}"
    measure = "processor time" if cost["of"] == "processor" else "the clock"
    return f"{interval} of full retraining, by {measure}, beyond what an empty run takes"
