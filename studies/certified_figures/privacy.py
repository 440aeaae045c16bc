"""Figure 3a: test accuracy against epsilon, after few steps that unlearn one point."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from torch import Tensor

from services.scorer.certificates import d2d, langevin
from services.scorer.report.svg import ACCENT, MUTED, ORACLE, UNLEARNED
from studies.certified_figures.lab import Accuracy, Lab
from studies.certified_figures.picture import Drawn, beside, picture, plain_ticks, table
from studies.certified_figures.scales import EPSILONS, STEPS

__all__ = ["Outcome", "draw_3a", "measure_3a"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The accuracy after unlearning one point."""

    epsilon: float
    steps: int
    sigma: float  # of Langevin's every step
    unlearned: Accuracy
    retrained: Accuracy
    published_sigma: float  # of D2D
    d2d: Accuracy


def measure_3a(lab: Lab, *, epsilons: tuple[float, ...] = EPSILONS, steps: tuple[int, ...] = STEPS) -> list[Outcome]:
    """Unlearn the first point, each method with the least noise that certifies epsilon."""
    settled = lab.learn(sigma=0)
    return [_outcome(lab, epsilon=epsilon, steps=count, settled=settled) for count in steps for epsilon in epsilons]


def draw_3a(lab: Lab) -> Drawn:
    outcomes = measure_3a(lab)
    noiseless = lab.accuracy(lab.learn(sigma=0, forgotten=1)).mean

    def paint(axes: Axes) -> None:
        for panel, count in zip(beside(axes, len(STEPS), share=True), STEPS, strict=True):
            _paint_panel(panel, [outcome for outcome in outcomes if outcome.steps == count], noiseless)
            panel.set_title(f"K = {count} step{'s' * (count > 1)}", size=11)
            panel.set_xlabel("ε (nats)")
            panel.tick_params(labelleft=panel is axes)
        axes.set_ylabel("test accuracy (%)")
        figure = axes.get_figure(root=True)
        assert figure is not None
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=4, handlelength=1.6)

    rows = [
        (one.epsilon, one.steps, one.sigma, one.unlearned, one.retrained, one.published_sigma, one.d2d)
        for one in outcomes
    ]
    head = ("ε", "K", "σ, Langevin", "unlearned (%)", "retrained (%)", "σ, D2D", "D2D (%)")
    title = "Test accuracy against epsilon after 1, 2 and 5 steps: Langevin unlearning, retraining, D2D"
    return Drawn(picture("certified-3a", title, paint, height=290), (table(head, rows),))


def _outcome(lab: Lab, *, epsilon: float, steps: int, settled: Tensor) -> Outcome:
    sigma = langevin.least_sigma(lab.problem, points=1, steps=steps, epsilon=epsilon)
    published_sigma = d2d.least_sigma(lab.problem, points=1, steps=steps, epsilon=epsilon)
    descended = lab.unlearn(settled, sigma=0, steps=steps, forgotten=1)
    return Outcome(
        epsilon=epsilon,
        steps=steps,
        sigma=sigma,
        unlearned=lab.accuracy(lab.unlearn(lab.learn(sigma=sigma), sigma=sigma, steps=steps, forgotten=1)),
        retrained=lab.accuracy(lab.learn(sigma=sigma, forgotten=1)),
        published_sigma=published_sigma,
        d2d=lab.accuracy(lab.publish(descended, sigma=published_sigma)),
    )


def _paint_panel(axes: Axes, outcomes: list[Outcome], noiseless: float) -> None:
    axes.axhline(noiseless, color=MUTED, linewidth=1, linestyle=":", label="without noise")
    for name, colour, marker, shift, found in (
        ("Langevin", UNLEARNED, "o", 0.93, [one.unlearned for one in outcomes]),
        ("retraining", ORACLE, "D", 1.0, [one.retrained for one in outcomes]),
        ("D2D", ACCENT, "s", 1.07, [one.d2d for one in outcomes]),
    ):
        axes.errorbar(
            [one.epsilon * shift for one in outcomes],
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
    axes.set_xscale("log")
    plain_ticks(axes, "x", [0.05, 0.2, 1, 5])
