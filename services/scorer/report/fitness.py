"""Renders the report of a benchmark's fitness, in plots and words: does the benchmark measure forgetting?"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import Fitness
from services.core.bundle.measurements import Measurements
from services.scorer.metrics.confidences import confidences
from services.scorer.report.page import template
from services.scorer.report.svg import ACCENT, MUTED, ORACLE, UNLEARNED, draw
from services.scorer.report.words import number

__all__ = ["render_fitness"]

BINS = 24
SMALLEST_PLACEBO_RATIO = 3

Vector = NDArray[np.float64]


def render_fitness(bundle: Bundle) -> str:
    """Render a benchmark's fitness as an HTML page, from its manifest and the measurements in its hidden part."""
    manifest, labels = bundle.manifest, bundle.forget_labels()
    oracle, second = bundle.oracle(), bundle.measurements_of("second_oracle")
    original = bundle.measurements_of("original")
    sides = {"retrained": _confidences(oracle, labels)}
    if original is not None:
        sides["original"] = _confidences(original, labels)
    return template("fitness.html").render(
        manifest=manifest,
        problems=manifest.fitness.problems,
        remarks=bundle.remarks(),
        facts=list(_facts(manifest.fitness, certified=manifest.learning is not None)),
        figures=[
            {"svg": svg, "caption": caption}
            for svg, caption in (
                _accuracy_plot(manifest.fitness, oracle, second, bundle.test_labels()),
                _confidence_plot(sides),
                *([_placebo_plot(manifest.fitness)] if manifest.fitness.placebo_qualities else []),
                _ceiling_plot(manifest.fitness),
            )
        ],
    )


def _confidences(models: Measurements, labels: NDArray[np.int64]) -> Vector:
    return confidences(models.forget_logits, labels).astype(np.float64).ravel()


def _facts(fitness: Fitness, *, certified: bool) -> Iterator[dict[str, str]]:
    for name, value, meaning in (
        ("Placebo ratio", fitness.placebo_ratio, f"must be at least {SMALLEST_PLACEBO_RATIO}"),
        ("Ceiling of F", fitness.ceiling, "F of retraining; an honest entry cannot expect more"),
        (
            "Forget labels learned",
            fitness.original_forget_accuracy,
            "share learned by the original model" + ("" if certified else "; must be at least 0.9"),
        ),
        ("Retain accuracy", fitness.oracle_retain_accuracy, "mean over the retrained models"),
        ("Test accuracy", fitness.oracle_test_accuracy, "mean over the retrained models"),
        ("Most common class", fitness.majority_share, "its share of the test set; guessing it reaches this accuracy"),
    ):
        yield {"name": name, "value": "–" if value is None else number(value), "meaning": meaning}


def _accuracy_plot(
    fitness: Fitness, oracle: Measurements, second: Measurements | None, labels: NDArray[np.int64]
) -> tuple[str, str]:
    sides = [(oracle, ORACLE, "oracle"), *([(second, MUTED, "second oracle")] if second is not None else [])]
    values = [(100 * (side.test_class == labels).mean(axis=1), colour, label) for side, colour, label in sides]
    edges = _edges(np.concatenate([value for value, _, _ in values]))

    def paint(axes: Axes) -> None:
        for value, colour, label in values:
            axes.stairs(_shares(value, edges), edges, color=colour, linewidth=1.8, label=label)
        axes.set(xlabel="accuracy on the test set, %", ylabel="% of models")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.legend(loc="best", fontsize=10)

    low, high = (float(value) for value in (values[0][0].min(), values[0][0].max()))
    title = f"The test accuracy of retrained models is between {low:.1f}% and {high:.1f}%."
    return draw("accuracy", title, paint), f"{title} A single model far below the others can decide a score."


def _confidence_plot(sides: dict[str, Vector]) -> tuple[str, str]:
    colours = {"retrained": ORACLE, "original": UNLEARNED}
    edges = _edges(np.concatenate(list(sides.values())))

    def paint(axes: Axes) -> None:
        for name, values in sides.items():
            axes.stairs(_shares(values, edges), edges, color=colours[name], linewidth=1.8, label=name)
        axes.set(xlabel="confidence on forget examples, nats", ylabel="% of readings")
        axes.legend(loc="best", fontsize=10)

    medians = {name: number(float(np.median(values))) for name, values in sides.items()}
    words = ", ".join(f"{name} {value}" for name, value in medians.items())
    title = f"Median confidence on the forget examples: {words}."
    return draw("confidence", title, paint), f"{title} If both shapes agree, there is nothing to forget."


def _placebo_plot(fitness: Fitness) -> tuple[str, str]:
    bars = [("original", fitness.original_quality, UNLEARNED)]
    bars += [(f"placebo {n}", value, ORACLE) for n, value in enumerate(fitness.placebo_qualities, start=1)]
    title = f"From models that never saw the forget set, the reference algorithm gets {number(fitness.placebo_ratio)} "
    title += "times the F that it gets from the original model."
    return _bars("placebo", title, bars), f"{title} If this ratio is near 1, F does not reward forgetting."


def _ceiling_plot(fitness: Fitness) -> tuple[str, str]:
    bars = [("second oracle", fitness.ceiling, ORACLE), ("one distribution", fitness.expected_ceiling, ACCENT)]
    title = f"Compared with the first oracle, the second one has an F of {number(fitness.ceiling)}."
    caption = f"{title} The other bar is F between two samples from one normal distribution. If the first bar is far "
    caption += "lower, the oracles have outliers."
    return _bars("ceiling", title, bars), caption


def _bars(name: str, title: str, bars: list[tuple[str, float | None, str]]) -> str:
    known: list[tuple[str, float, str]] = [(label, value, colour) for label, value, colour in bars if value is not None]

    def paint(axes: Axes) -> None:
        style: dict[str, Any] = {"width": 0.6}
        for label, value, colour in known:
            axes.bar(label, value, color=colour, **style)
        axes.set(ylabel="forgetting quality F")

    return draw(name, title, paint)


def _edges(values: Vector) -> Vector:
    finite = values[np.isfinite(values)]
    low, high = np.quantile(finite, [0.001, 0.999]) if len(finite) else (0.0, 1.0)
    margin = max(float(high - low), 1.0) / BINS
    return np.linspace(low - margin, high + margin, BINS + 1)


def _shares(values: Vector, edges: Vector) -> Vector:
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    return 100 * counts / max(len(values), 1)
