"""Draws the figures of a report, each with a sentence for readers who cannot see it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from services.scorer.histograms import CONFIDENCE_BINS, Buckets, Shared
from services.scorer.metrics import Audit, Estimate, ScoreCard
from services.scorer.metrics.gaussian import MAX_MISFITS
from services.scorer.metrics.quality import BUCKET
from services.scorer.report.svg import ACCENT, GRID, INK, MUTED, ORACLE, UNLEARNED, draw
from services.scorer.report.words import number

__all__ = ["audit_plot", "bucket_plot", "confidence_plot", "misfits", "plane_plot"]

ROUND = [1, 2, 5, 10]  # allowed steps between ticks
ENTRY: dict[str, Any] = {"label": "this entry", "color": UNLEARNED, "fmt": "o"}
RETRAINING: dict[str, Any] = {"label": "retraining", "color": ORACLE, "fmt": "D", "markerfacecolor": "none"}
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

Vector = NDArray[np.float64]


def bucket_plot(epsilons: Vector, buckets: Buckets) -> str:
    """Draw the histogram of epsilon, from which forgetting quality is computed, with the points of each bucket."""
    counts = buckets.fill(epsilons)

    def paint(axes: Axes) -> None:
        axes.bar(buckets.middles[:-1], counts[:-1], width=0.92 * BUCKET, color=UNLEARNED)
        axes.bar(buckets.middles[-1:], counts[-1:], width=0.92 * BUCKET, color="none", edgecolor=MUTED, hatch="////")
        every = 1 if buckets.count <= 8 else 2  # else the labels would touch
        for bucket in range(0, buckets.count, every):
            place = float(buckets.middles[bucket])
            axes.text(place, 1.01, _power(bucket), transform=axes.get_xaxis_transform(), ha="center", size=10)
        axes.text(0, 1.09, "points per example", transform=axes.transAxes, size=10, color=MUTED)
        _epsilon_axis(axes, buckets)

    inside = int(counts[:-1].sum())
    title = f"Histogram of epsilon: {inside} of {len(epsilons)} examples are in a bucket that earns points"
    if inside:
        fullest = int(counts[:-1].argmax()) * BUCKET
        title += f"; the fullest bucket is {fullest:g} to {fullest + BUCKET:g}"
    return draw("buckets", f"{title}.", paint)


def audit_plot(epsilons: Vector, audit: Audit, buckets: Buckets) -> str:
    """Draw Gaussian estimates and sound bounds together with the epsilons."""
    doubtful = misfits(audit) > MAX_MISFITS
    edges = np.append(np.arange(buckets.count + 1) * BUCKET, buckets.end + 2 * BUCKET)
    proven = np.minimum(audit.bounds[audit.bounds > 0], buckets.end + BUCKET)  # beyond the axis, draw it at its end

    def paint(axes: Axes) -> None:
        name = "Gaussian estimate (doubtful)" if doubtful else "Gaussian estimate"
        estimates = buckets.fill(audit.gaussian)
        axes.stairs(estimates, edges, fill=True, color=MUTED if doubtful else ACCENT, alpha=0.55, label=name)
        axes.stairs(buckets.fill(epsilons), edges, color=UNLEARNED, linewidth=1.6, label="epsilon of the score")
        place = np.full(len(proven), 0.05)
        style: dict[str, Any] = {"marker": "v", "linestyle": "none", "color": INK, "markersize": 5, "clip_on": False}
        axes.plot(proven, place, transform=axes.get_xaxis_transform(), label="sound bound above 0", **style)
        axes.axvline(min(audit.largest_certifiable, buckets.end + BUCKET), color=INK, linewidth=1, linestyle=":")
        axes.plot([], [], color=INK, linewidth=1, linestyle=":", label="largest provable bound")
        _epsilon_axis(axes, buckets)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.25), ncols=2, fontsize=10)

    title = (
        f"Gaussian estimates with median {number(float(np.median(audit.gaussian)))}, and sound lower bounds: "
        f"{len(proven)} of {audit.claims} are above 0, and the largest is {number(float(audit.bounds.max()))}."
    )
    return draw("audit", title, paint, height=290)


def confidence_plot(example: int, unlearned: Vector, oracle: Vector) -> str:
    """Draw one example's confidences under unlearned [N] and retrained [M] models, in shared bins."""
    shared = Shared.of(unlearned, oracle)
    edges = np.linspace(shared.low, shared.high, CONFIDENCE_BINS + 1)
    mine, theirs = (100.0 * counts / counts.sum() for counts in (shared.unlearned, shared.oracle))

    def paint(axes: Axes) -> None:
        axes.stairs(mine, edges, fill=True, color=UNLEARNED, alpha=0.45)
        axes.stairs(mine, edges, color=UNLEARNED, linewidth=1)
        axes.stairs(theirs, edges, color=ORACLE, linewidth=1.8)
        axes.set(xlabel="confidence, nats", ylabel="% of models")
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=ROUND))
        axes.yaxis.set_major_locator(MaxNLocator(3))

    title = (
        f"Confidences on example {example}: the median is {number(float(np.median(unlearned)))} for the unlearned "
        f"models and {number(float(np.median(oracle)))} for the retrained ones."
    )
    return draw(f"example-{example}", title, paint, width=320, height=180)


def plane_plot(card: ScoreCard, retrained: Estimate | None) -> str:
    """Draw forgetting quality over utility with intervals, for the entry and, if known, for retraining at utility 1."""
    quality, utility = card.forgetting_quality, card.utility
    highest = max(quality.high, quality.value, retrained.high if retrained else 0.0, 0.05) * 1.12
    sides = [utility.low, utility.high, utility.value, 1.0]
    margin = max(0.15 * (max(sides) - min(sides)), 0.02)
    left, right = max(0.0, min(sides) - margin), max(sides) + margin

    def paint(axes: Axes) -> None:
        _iso_scores(axes, left, right, highest)
        axes.axvline(1.0, color=MUTED, linewidth=1, linestyle=":")
        if retrained:
            _cross(axes, Estimate(1.0, 1.0, 1.0), retrained, RETRAINING)
        _cross(axes, utility, quality, ENTRY)
        axes.set(xlim=(left, right), ylim=(0, highest), xlabel="utility", ylabel="forgetting quality")
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=ROUND))
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2, fontsize=10)

    title = f"This entry has utility {number(utility.value)} and forgetting quality {number(quality.value)}"
    if retrained:
        title += f"; retraining has utility 1 and forgetting quality {number(retrained.value)}"
    return draw("plane", f"{title}.", paint, height=300)


def misfits(audit: Audit) -> float:
    """Return the share of examples, 0 to 1, that fail the test of normality."""
    return float((~audit.gaussian_fits).mean())


def _power(bucket: int) -> str:
    return ("1", "½", "¼")[bucket] if bucket < 3 else "2" + f"⁻{bucket}".translate(SUPERSCRIPTS)


def _epsilon_axis(axes: Axes, buckets: Buckets) -> None:
    ends = np.arange(0, buckets.end + 0.25)
    axes.set_xticks([*ends, buckets.middles[-1]], [*(f"{end:g}" for end in ends), "no\npoints"])
    axes.set(xlabel="epsilon", ylabel="examples", xlim=(-0.1, buckets.end + 2.1 * BUCKET))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))


def _iso_scores(axes: Axes, left: float, right: float, highest: float) -> None:
    line: Sequence[float] = np.linspace(max(left, 1e-3), right, 60).tolist()
    for score in MaxNLocator(6, steps=ROUND).tick_values(0, right * highest):
        if 0 < score < right * highest:
            axes.plot(line, [score / x for x in line], color=GRID, linewidth=1, zorder=0)
            if score / right < 0.97 * highest:
                style: dict[str, Any] = {"ha": "right", "va": "bottom", "size": 10, "color": MUTED}
                axes.text(right, score / right, f"{score:.3g}", **style)


def _cross(axes: Axes, x: Estimate, y: Estimate, style: dict[str, Any]) -> None:
    axes.errorbar([x.value], [y.value], xerr=_reach(x), yerr=_reach(y), capsize=3, elinewidth=1.4, **style)


def _reach(estimate: Estimate) -> list[list[float]]:
    return [[max(estimate.value - estimate.low, 0.0)], [max(estimate.high - estimate.value, 0.0)]]
