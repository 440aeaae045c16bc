"""What one entry gets on one draw, how a knob is chosen, and means over draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from scipy.stats import t
from torch.optim.optimizer import register_optimizer_step_post_hook

from services.core.bundle.directory import Bundle
from services.scorer.metrics import METRICS
from services.scorer.scoring import gather
from services.worker.runner.loaders import ExampleSet, Loader
from services.worker.runner.model import build_model, examples, load_state
from services.worker.runner.tensors import load
from studies.baselines.entries import Entry
from studies.baselines.scenarios import Ran
from studies.method_sweeps.points import displacement
from studies.tuning.methods import DEFAULT

__all__ = ["Mean", "Result", "choose", "count_steps", "mean_of", "measure"]

RANKING, PUBLISHED = "lethe-2", "neurips-2023"
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Result:
    """One entry on one draw. A run that failed has a failure, and scores nothing."""

    score: float = 0.0  # final score of lethe-2
    forgetting: float = 0.0  # of lethe-2
    utility: float = 0.0  # clipped at 1
    published: float = 0.0  # final score of neurips-2023
    shift: float | None = None  # of confidences either way, in the oracle's standard deviations
    spread: float | None = None  # of confidences, over the oracle's
    run_s: float | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over draws, and how far it may be off: half of Student's 95% interval. One draw has none."""

    value: float
    margin: float | None


def measure(ran: Ran, bundle: Bundle) -> Result:
    """Score the runs of an entry by both metrics."""
    if ran.measurements is None:
        return Result(failure=ran.failure, run_s=ran.run_s)
    evidence = gather(ran.measurements, bundle)
    ranking, published = (METRICS[name](evidence) for name in (RANKING, PUBLISHED))
    shift, spread = displacement(evidence)
    return Result(
        score=ranking.final_score.value,
        forgetting=ranking.forgetting_quality.value,
        utility=ranking.utility.value,
        published=published.final_score.value,
        shift=shift,
        spread=spread,
        run_s=ran.run_s,
    )


def choose(results: Mapping[float, Sequence[Result]]) -> float:
    """Choose the factor with the best mean score over the tuning draws; of equals, the one nearest to the default."""
    return max(results, key=lambda factor: (_mean(results[factor]), -abs(np.log(factor / DEFAULT))))


def mean_of(values: Sequence[float]) -> Mean:
    """Compute the mean and the margin of Student's interval over draws."""
    count = len(values)
    if count < 2:
        return Mean(float(np.mean(values)), None)
    error = float(np.std(values, ddof=1)) / sqrt(count)
    return Mean(float(np.mean(values)), float(t.ppf((1 + CONFIDENCE) / 2, count - 1)) * error)


def count_steps(entry: Entry, bundle: Bundle) -> int:
    """Run an entry of ours once in this process, and count the steps of its optimizers."""
    public, steps = bundle.public, 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1

    torch.manual_seed(0)
    model = build_model(public / "architecture.py")
    load_state(model, load(str(public / "original.safetensors")))
    loaders = [
        Loader(ExampleSet(*examples(public / f"{name}.safetensors")), shuffle=shuffle)
        for name, shuffle in (("retain", True), ("forget", True), ("validation", False))
    ]
    space: dict[str, object] = {"__name__": entry.name}
    exec(compile(entry.source, f"{entry.name}.py", "exec"), space)
    unlearning = space["unlearning"]
    assert callable(unlearning)
    hook = register_optimizer_step_post_hook(count)
    try:
        unlearning(model.train(), *loaders)
    finally:
        hook.remove()
    return steps


def _mean(results: Sequence[Result]) -> float:
    return float(np.mean([result.score for result in results]))
