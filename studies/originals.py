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

from services.core.bundle.directory import start_of
from services.scorer.metrics import METRICS, Estimate, Evidence, Models, Predictions, ScoreCard

Array = NDArray[np.float64]
SUBJECTS, OF_EACH, CONTROLS, FACTORS = 15, 4, 200, 4
FORGET = SUBJECTS * OF_EACH
SHARED = 0.3  # of a model's variance, in factors


@dataclass(frozen=True)
class Entry:
    """What an entry's models keep of their original."""

    name: str
    kept: float  # share of memory
    differs: float  # standard deviation of that share over originals
    drift: float  # in standard deviations of retrained models
    noise: float = 1.0  # of runs of one original; 0 if they are all equal


ENTRIES = (
    Entry("originals matter little", 0.3, 0.0, 0.2),
    Entry("originals matter", 0.3, 0.05, 0.6),
    Entry("originals matter most", 0.3, 0.1, 1.5),
    Entry("near retraining", 0.03, 0.02, 0.1),
    Entry("deterministic", 0.3, 0.02, 0.6, noise=0.0),
    Entry("forgets more from some originals", 0.3, 0.2, 0.6),
)


@dataclass(frozen=True)
class World:
    """A forget set: centres of the margins, loadings of the factors, and how well subjects are remembered."""

    middle: Array  # [examples]
    loadings: Array  # [factors, examples]
    memory: Array  # [S]

    @classmethod
    def draw(cls, rng: np.random.Generator, controls: "World | None" = None) -> "World":
        """Draw a forget set; its test examples are another world's, if one is given."""
        middle = rng.normal(4, 2, FORGET + CONTROLS)
        middle[: FORGET // 5] = -5  # labels that only memory explains
        loadings = rng.normal(size=(FACTORS, FORGET + CONTROLS)) * np.sqrt(SHARED / FACTORS)
        if controls is not None:
            middle[FORGET:], loadings[:, FORGET:] = controls.middle[FORGET:], controls.loadings[:, FORGET:]
        memory = 6 * rng.uniform(0.5, 1.5, SUBJECTS).repeat(OF_EACH) * rng.uniform(0.6, 1.4, FORGET)
        return cls(middle, loadings, memory)

    def retrained(self, rng: np.random.Generator, models: int, noise: float = 1.0) -> Array:
        own = np.sqrt(1 - SHARED) * rng.normal(size=(models, len(self.middle)))
        return np.asarray(self.middle + noise * (rng.normal(size=(models, FACTORS)) @ self.loadings + own))

    def evaluate(self, rng: np.random.Generator, entry: Entry, models: int, originals: int) -> Evidence:
        """Draw originals, runs and an oracle."""
        known = np.zeros((originals, len(self.middle)))
        known[:, :FORGET] = self.memory * np.maximum(1 + 0.2 * rng.normal(size=(originals, FORGET)), 0)
        moved = rng.normal(size=known.shape)
        kept = entry.kept + entry.differs * rng.normal(size=(originals, 1))
        starts = np.array([start_of(seed, originals) for seed in range(models)])
        runs = self.retrained(rng, models, entry.noise) + (kept * known + entry.drift * moved)[starts]
        return Evidence(
            unlearned=_models(runs, starts if entry.noise == 0 else np.arange(models)),
            oracle=_models(self.retrained(rng, models)),
            forget_labels=np.zeros(FORGET, dtype=np.int64),
            second_oracle=_models(self.retrained(rng, models)),
            originals=_models(self.middle + known + moved),
            test_labels=np.zeros(CONTROLS, dtype=np.int64),
            subjects=np.arange(FORGET) // OF_EACH,
            starts=starts if originals > 1 else None,
        )


def _models(margins: Array, hashes: NDArray[np.int64] | None = None) -> Models:
    forget, test = margins[:, :FORGET], margins[:, FORGET:]
    accuracies = np.full(len(margins), 0.9)
    names = np.arange(len(margins)) if hashes is None else hashes
    predictions = Predictions((test < 0).astype(np.uint8), test.astype(np.float32), np.zeros_like(test, np.float16))
    return Models(
        np.stack([forget, np.zeros_like(forget)], axis=-1),
        accuracies,
        accuracies,
        test=predictions,
        checkpoint_sha256=np.repeat(names[:, None], 32, axis=1).astype(np.uint8),
    )


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
    rng = np.random.default_rng([seed, models, originals, ENTRIES.index(entry)])
    world = World.draw(rng)
    same = [_cards(world.evaluate(rng, entry, models, originals)) for _ in range(count)]
    fresh = [_cards(World.draw(rng, world).evaluate(rng, entry, models, originals)) for _ in range(count)]
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
    parser.add_argument("--models", type=int, default=128)
    parser.add_argument("--originals", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    count = 200 if options.full else 40
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
