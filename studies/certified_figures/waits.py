"""Figures 3c, 4 and 5: the least number K of Langevin steps, and the accuracy after them."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from services.scorer.certificates import langevin
from services.scorer.report.svg import ACCENT, MUTED, ORACLE, UNLEARNED
from studies.certified_figures.lab import Accuracy, Lab
from studies.certified_figures.picture import Drawn, beside, picture, plain_ticks, table
from studies.certified_figures.published import FIGURES, on_grid

__all__ = ["Tried", "Wait", "draw_3c", "draw_4", "draw_5", "measure_3c", "measure_4", "measure_5", "published_table"]

EPSILON_3C = 1.0
EPSILONS_4 = (0.1, 0.5, 1.0, 2.0, 5.0)
EPSILONS_5 = (0.5, 1.0, 2.0)
CURVES = ((UNLEARNED, "o"), (ORACLE, "D"), (ACCENT, "s"))


@dataclass(frozen=True, slots=True)
class Wait:
    """The least K, at least 1, that brings S points to epsilon."""

    points: int
    epsilon: float
    sigma: float
    steps: int


@dataclass(frozen=True, slots=True)
class Tried:
    """Accuracy after K steps, of models retrained with the same noise, and without noise."""

    wait: Wait
    unlearned: Accuracy
    retrained: Accuracy
    noiseless: float


def measure_3c(lab: Lab) -> list[Tried]:
    return [
        _try(lab, _wait(lab, points=lab.scale.points, epsilon=EPSILON_3C, sigma=sigma)) for sigma in lab.scale.sigmas
    ]


def measure_4(lab: Lab) -> list[Wait]:
    return [
        _wait(lab, points=points, epsilon=epsilon, sigma=lab.scale.sigma)
        for points in lab.scale.curves
        for epsilon in EPSILONS_4
    ]


def measure_5(lab: Lab) -> tuple[list[Wait], list[Tried]]:
    """Compute K at every epsilon, and the accuracy after the K steps of epsilon 1."""
    waits = [
        _wait(lab, points=points, epsilon=epsilon, sigma=lab.scale.sigma)
        for epsilon in EPSILONS_5
        for points in lab.scale.counts
    ]
    return waits, [_try(lab, wait) for wait in waits if wait.epsilon == 1]


def draw_3c(lab: Lab) -> Drawn:
    tried = measure_3c(lab)
    sigmas = [one.wait.sigma for one in tried]

    def paint(axes: Axes) -> None:
        left, right = beside(axes, 2)
        left.plot(sigmas, [one.wait.steps for one in tried], "o-", color=UNLEARNED, markersize=4)
        left.set_ylabel("least K (steps)")
        left.set_ylim(bottom=0)
        left.yaxis.set_major_formatter("{x:,.0f}")
        _paint_accuracy(right, sigmas, tried)
        right.legend(loc="lower left")
        for panel in (left, right):
            panel.set_xscale("log")
            plain_ticks(panel, "x", sigmas)
            panel.set_xlabel("σ of every step")

    title = f"Steps to unlearn {lab.scale.points} points at epsilon 1, and test accuracy, against sigma"
    rows = [(one.wait.sigma, one.wait.steps, one.unlearned, one.retrained) for one in tried]
    ours = table(("σ", "K", "unlearned (%)", "retrained (%)"), rows)
    return Drawn(picture("certified-3c", title, paint, height=290), (ours, published_table("3c")))


def draw_4(lab: Lab) -> Drawn:
    waits = measure_4(lab)

    def paint(axes: Axes) -> None:
        for points, (colour, marker) in zip(lab.scale.curves, CURVES, strict=True):
            steps = [wait.steps for wait in waits if wait.points == points]
            axes.plot(EPSILONS_4, steps, f"{marker}-", color=colour, markersize=5, label=f"S = {points}")
        axes.set_xscale("log")
        axes.set_yscale("log")
        plain_ticks(axes, "x", EPSILONS_4)
        plain_ticks(axes, "y", [1, 10, 100, 1000, 10_000])
        axes.set_xlabel("ε (nats)")
        axes.set_ylabel("least K (steps)")
        axes.legend(loc="lower left")

    title = f"Steps to unlearn {', '.join(map(str, lab.scale.curves))} points against epsilon"
    head = ("S", *(f"ε = {epsilon:g}" for epsilon in EPSILONS_4))
    ours = table(head, [(S, *(w.steps for w in waits if w.points == S)) for S in lab.scale.curves])
    return Drawn(picture("certified-4", title, paint, height=300), (ours, published_table("4")))


def draw_5(lab: Lab) -> Drawn:
    waits, tried = measure_5(lab)
    counts = lab.scale.counts

    def paint(axes: Axes) -> None:
        left, right = beside(axes, 2)
        for epsilon, (colour, marker) in zip(EPSILONS_5, CURVES, strict=True):
            steps = [wait.steps for wait in waits if wait.epsilon == epsilon]
            left.plot(counts, steps, f"{marker}-", color=colour, markersize=4, label=f"ε = {epsilon:g}")
        left.set_ylabel("least K (steps)")
        left.set_ylim(bottom=0)
        left.yaxis.set_major_formatter("{x:,.0f}")
        left.legend(loc="upper left")
        _paint_accuracy(right, counts, tried)
        lowest, highest = right.get_ylim()
        right.set_ylim(lowest - 0.5 * (highest - lowest), highest)  # the curves are level: room for the legend below
        right.legend(loc="lower left")
        for panel in (left, right):
            panel.set_xscale("log")
            plain_ticks(panel, "x", counts)
            panel.set_xlabel("S (points)")

    title = "Steps to unlearn S points at epsilon 0.5, 1 and 2, and test accuracy at epsilon 1, against S"
    head = ("S", *(f"K, ε = {epsilon:g}" for epsilon in EPSILONS_5), "unlearned (%)", "retrained (%)", "no noise (%)")
    rows = [
        (
            one.wait.points,
            *(w.steps for w in waits if w.points == one.wait.points),
            one.unlearned,
            one.retrained,
            f"{one.noiseless:.1f}",
        )
        for one in tried
    ]
    return Drawn(picture("certified-5", title, paint, height=290), (table(head, rows), published_table("5")))


def published_table(figure: str) -> str:
    """Compute a figure's K again at the paper's constants for MNIST, and set them beside the saved ones."""
    head = ("MNIST: S", "ε", "σ", "least K", "on the grid 1, 11, 21, ..", "published K")
    rows = []
    for saved in FIGURES[figure]:
        least = saved.recomputed()
        rows.append((saved.points, saved.epsilon, saved.sigma, least, on_grid(least), saved.steps))
    return table(head, rows)


def _wait(lab: Lab, *, points: int, epsilon: float, sigma: float) -> Wait:
    steps = langevin.least_steps(lab.problem, points=points, sigma=sigma, epsilon=epsilon, at_least=1)
    return Wait(points, epsilon, sigma, steps)


def _try(lab: Lab, wait: Wait) -> Tried:
    learned = lab.learn(sigma=wait.sigma)
    return Tried(
        wait,
        unlearned=lab.accuracy(lab.unlearn(learned, sigma=wait.sigma, steps=wait.steps, forgotten=wait.points)),
        retrained=lab.accuracy(lab.learn(sigma=wait.sigma, forgotten=wait.points)),
        noiseless=lab.accuracy(lab.learn(sigma=0, forgotten=wait.points)).mean,
    )


def _paint_accuracy(axes: Axes, x: Sequence[float], tried: Sequence[Tried]) -> None:
    axes.plot(x, [one.noiseless for one in tried], ":", color=MUTED, linewidth=1, label="without noise")
    for name, colour, marker, shift, found in (
        ("unlearned", UNLEARNED, "o", 0.97, [one.unlearned for one in tried]),
        ("retrained", ORACLE, "D", 1.03, [one.retrained for one in tried]),
    ):
        axes.errorbar(
            [value * shift for value in x],
            [one.mean for one in found],
            [one.deviation for one in found],
            label=name,
            color=colour,
            fmt=f"{marker}-",
            markersize=4,
            linewidth=1.2,
            elinewidth=1,
            capsize=2,
            markerfacecolor="none" if marker == "D" else colour,
        )
    axes.set_ylabel("test accuracy (%)")
