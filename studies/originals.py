"""Do intervals hold the truth if originals are drawn anew, too? Simulated benchmarks with K originals.

    python -m studies.originals           a minute or two: fewer evaluations
    python -m studies.originals --full    the table of docs/calibration.md: about 8 minutes on one core

Margins of 60 forget and 200 test examples are normal with shared factors, four forget examples to a subject. Each
original remembers the forget set in its own way and drifts in its own direction; an entry keeps a share of both, which
also differs from original to original. The truth is the mean of the score over fresh originals, runs and oracles, with
the forget set fixed ("runs and originals") or drawn anew ("everything").
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics import METRICS, Estimate, Evidence, ScoreCard
from studies.arguments import at_least
from studies.simulated import Entry, Noise, World

Array = NDArray[np.float64]
SUBJECTS, OF_EACH, CONTROLS = 15, 4, 200  # CONTROLS examples of the test set, and as many of the retain set
FORGET = SUBJECTS * OF_EACH
NOISE = Noise("factors", 0.3, factors=4)
UNEVEN = 0.2  # how much originals differ in what they remember of an example
ENTRIES = (
    Entry("originals matter little", 0.3, 0.2),
    Entry("originals matter", 0.3, 0.6, differs=0.05),
    Entry("originals matter most", 0.3, 1.5, differs=0.1),
    Entry("near retraining", 0.03, 0.1, differs=0.02),
    Entry("deterministic", 0.3, 0.6, differs=0.02, noise=0.0),
    Entry("forgets more from some originals", 0.3, 0.6, differs=0.2),
)


def world_of(random: np.random.Generator, controls: World | None = None) -> World:
    """Draw a forget set; its controls are another world's, if one is given."""
    middle = random.normal(4, 2, FORGET + 2 * CONTROLS)
    middle[: FORGET // 5] = -5  # labels that only memory explains
    loadings = NOISE.loadings(random, len(middle))
    if controls is not None:
        middle[FORGET:], loadings[:, FORGET:] = controls.middle[FORGET:], controls.loadings[:, FORGET:]
    remembered = np.zeros(len(middle))
    remembered[:FORGET] = 6 * random.uniform(0.5, 1.5, SUBJECTS).repeat(OF_EACH) * random.uniform(0.6, 1.4, FORGET)
    subjects = np.arange(FORGET) // OF_EACH
    return World(random, NOISE, FORGET, CONTROLS, middle, loadings, remembered, subjects)


@dataclass(frozen=True)
class Row:
    """Coverage of the intervals of one entry by one metric."""

    metric: str
    intervals: tuple[float, float, float]  # coverage: the score's interval; of everything, twice
    widths: tuple[float, float]  # over the truth: the score's interval, and that over everything
    shares: Array  # mean shares of the variance: runs, originals, subjects
    truth: float


def rows_of(seed: int, entry: Entry, *, models: int, originals: int, count: int) -> Iterator[Row]:
    """Evaluate one entry many times, with the forget set fixed and with fresh ones."""
    random = np.random.default_rng([seed, models, originals, ENTRIES.index(entry)])
    world = world_of(random)

    def cards(benchmark: World) -> dict[str, ScoreCard]:
        learned = benchmark.learn(originals, deviation=1.0, uneven=UNEVEN)
        return _cards(benchmark.evaluate(entry, learned, models))

    same = [cards(world) for _ in range(count)]
    fresh = [cards(world_of(random, world)) for _ in range(count)]
    for metric in METRICS:
        own, other = ([cards[metric] for cards in side] for side in (same, fresh))
        truth, elsewhere = (float(np.mean([card.final_score.value for card in side])) for side in (own, other))
        whole = [card.generalisation or card.final_score for card in other]
        mine = [card.generalisation or card.final_score for card in own]
        parts = np.array([_variances(card) for card in own])
        yield Row(
            metric,
            (_held([card.final_score for card in own], truth), _held(mine, truth), _held(whole, elsewhere)),
            (_width([card.final_score for card in own], truth), _width(whole, elsewhere)),
            np.mean(parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-12), axis=0),
            truth,
        )


def _cards(evidence: Evidence) -> dict[str, ScoreCard]:
    return {name: metric(evidence) for name, metric in METRICS.items()}


def _held(intervals: list[Estimate], truth: float) -> float:
    return float(np.mean([one.low <= truth <= one.high for one in intervals]))


def _width(intervals: list[Estimate], truth: float) -> float:
    return float(np.mean([one.high - one.low for one in intervals])) / max(truth, 1e-3)


def _variances(card: ScoreCard) -> tuple[float, float, float]:
    found = card.variance
    assert found is not None
    return found.runs**2, (found.originals or 0.0) ** 2, (found.subjects or 0.0) ** 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="run as many evaluations as docs/calibration.md")
    parser.add_argument("--count", type=at_least(10), help="evaluations of each row, twice; default: 40, or 200")
    parser.add_argument("--models", type=int, default=128)
    parser.add_argument("--originals", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    count = options.count or (200 if options.full else 40)
    print(f"N = {options.models}, {options.originals} originals, {count} evaluations")
    print(
        "| entry | metric | score | its interval | the whole interval | the same, other subjects | widths | runs "
        "| originals | subjects |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for entry in ENTRIES:
        for row in rows_of(options.seed, entry, models=options.models, originals=options.originals, count=count):
            held = " | ".join(f"{one:.1%}" for one in row.intervals)
            shares = " | ".join(f"{share:.0%}" for share in row.shares)
            widths = f"{row.widths[0]:.2f}, {row.widths[1]:.2f}"
            print(f"| {entry.name} | `{row.metric}` | {row.truth:.3f} | {held} | {widths} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
