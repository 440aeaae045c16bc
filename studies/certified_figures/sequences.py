"""Figure 3b: the work of many requests, one after another, counted in passes over the training set.

Requests remove their points, so n falls. The accountants use its value before the last request, which is the least.
A step of full batch is one pass, and so is an epoch of mini-batches, because both take one gradient of every point.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from torch import Tensor

from services.scorer.certificates import d2d, langevin, stochastic
from services.scorer.report.svg import ACCENT, ORACLE, UNLEARNED
from studies.certified_figures.lab import Accuracy, Lab
from studies.certified_figures.picture import Drawn, picture, plain_ticks, table

__all__ = ["Sequence3b", "draw_3b", "measure_3b"]

EPSILON = 1.0
FACTORS = (1.0, 1.5, 2.0)  # of D2D's least I
COLOURS = {"Langevin": UNLEARNED, "D2D": ACCENT, "stochastic": ORACLE}
MARKERS = ("o", "s", "^")


@dataclass(frozen=True, slots=True)
class Sequence3b:
    """Requests that together forget all points: passes of each, and accuracy after the last."""

    method: str
    setting: str
    sigma: float
    points: int  # in each request
    passes: tuple[int, ...]
    accuracy: Accuracy

    @property
    def name(self) -> str:
        return f"{self.method}, {self.setting}"

    @property
    def total(self) -> int:
        return sum(self.passes)


def measure_3b(lab: Lab) -> list[Sequence3b]:
    """Forget `total` points: Langevin in requests of several, D2D and stochastic Langevin one by one."""
    return [
        *(_langevin(lab, points) for points in lab.scale.requests),
        *(_d2d(lab, factor) for factor in FACTORS),
        *_stochastic(lab),
    ]


def draw_3b(lab: Lab) -> Drawn:
    found = measure_3b(lab)
    highest = max(one.total for one in found)

    def paint(axes: Axes) -> None:
        drawn = dict.fromkeys(COLOURS, 0)
        for one in found:
            totals = list(itertools.accumulate(one.passes))
            axes.plot(
                [one.points * (number + 1) for number in range(len(totals))],
                totals,
                label=one.name,
                color=COLOURS[one.method],
                linewidth=1.2,
                marker=MARKERS[drawn[one.method]],
                markersize=4,
                markevery=max(1, len(totals) // 8),
            )
            drawn[one.method] += 1
        axes.set_yscale("log")
        plain_ticks(axes, "y", [10**power for power in range(round(math.log10(highest)) + 1)])
        axes.set_xlabel(f"points forgotten, of n = {lab.problem.n:,}")
        axes.set_ylabel("passes over the training set")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))

    head = ("method", "σ", "requests", "passes in all", "first", "last", "accuracy (%)")
    rows = [
        (one.name, one.sigma, len(one.passes), one.total, one.passes[0], one.passes[-1], one.accuracy) for one in found
    ]
    title = f"Passes over the training set to forget {lab.scale.total} points one request after another, at epsilon 1"
    return Drawn(picture("certified-3b", title, paint, height=330), (table(head, rows),))


def _langevin(lab: Lab, points: int) -> Sequence3b:
    sigma, requests = lab.scale.sigma, [points] * (lab.scale.total // points)
    problem = replace(lab.problem, n=lab.problem.n - lab.scale.total + points)
    steps = langevin.least_sequence_steps(problem, points=requests, sigma=sigma, epsilon=EPSILON, at_least=1)
    models = _unlearn(lab, lab.learn(sigma=sigma), sigma, steps, points)
    return Sequence3b("Langevin", f"{points} at once", sigma, points, tuple(steps), lab.accuracy(models))


def _stochastic(lab: Lab) -> list[Sequence3b]:
    full = lab.smaller(max(lab.scale.batch_sizes))
    n, sigma, total = full.problem.n, lab.scale.sigma, lab.scale.total
    found = []
    for batch_size in (*lab.scale.batch_sizes, n):
        batches = n // batch_size
        left = batch_size - (total - 1) // batches  # in the batch of the last request: points leave each in turn
        problem = replace(full.problem, n=left * batches)
        epochs = stochastic.least_sequence_epochs(
            problem, points=[1] * total, batch_size=left, sigma=sigma, epsilon=EPSILON
        )
        learned = full.learn(sigma=sigma, batches=batches)
        models = _unlearn(full, learned, sigma, [count * batches for count in epochs], 1, batches=batches)
        setting = "full batch" if batches == 1 else f"b = {batch_size}"
        found.append(Sequence3b("stochastic", setting, sigma, 1, tuple(epochs), full.accuracy(models)))
    return found


def _d2d(lab: Lab, factor: float) -> Sequence3b:
    """Every request starts from the published model, noise and all."""
    problem = replace(lab.problem, n=lab.problem.n - lab.scale.total + 1)
    base = int(factor * d2d.published_state_base(problem, dimension=lab.dimension, epsilon=EPSILON))
    sigma = d2d.published_state_sigma(problem, steps=base, epsilon=EPSILON)
    steps = [
        d2d.published_state_steps(problem, dimension=lab.dimension, steps=base, request=request)
        for request in range(1, lab.scale.total + 1)
    ]
    models = lab.publish(lab.learn(sigma=0), sigma=sigma)
    for number, count in enumerate(steps, start=1):
        models = lab.publish(lab.unlearn(models, sigma=0, steps=count, forgotten=number), sigma=sigma)
    return Sequence3b("D2D", f"I = {base}", sigma, 1, tuple(steps), lab.accuracy(models))


def _unlearn(lab: Lab, models: Tensor, sigma: float, steps: Sequence[int], points: int, *, batches: int = 1) -> Tensor:
    for number, count in enumerate(steps, start=1):
        models = lab.unlearn(models, sigma=sigma, steps=count, forgotten=number * points, batches=batches)
    return models
