"""`lethe-2`: how much less an entry remembers of the forget set than the original model.

`docs/scoring.md` gives reasons and a table of acceptance (`python -m studies.forgery`). Forgetting is

    min((1 - memory) x balance, cap)

Memory is 1 for the original model and 0 for retrained ones. It is the largest of three readings, each the excess of
forget examples over test examples, so that drift, which controls share, is not taken for memory:

- *direction*: the part of the original's shift that the entry still has, <z, d> / <d, d>;
- *energy*: mean squared shift over the original's, which also counts examples that are forgotten too much, and what
  runs from different originals forget too little and too much;
- *labels*: how often models still give labels that the original gives and hardly any retrained model does.

Balance is 1 unless forget examples certainly look more retrained than controls, as they do if an entry pins the outputs
of the forget set alone (`balance.py`). It also falls if outputs drift so far that nothing can be read from them, as
they do if all logits are scaled down.
The cap halves with each half nat that the joint audit proves of forget examples beyond controls: a mixture of biases,
or examples that vary in another way than retrained models let them, although each example alone looks right.
The interval covers memory for a re-run, and if there are several originals, for other ones. Balance and cap count as
known.

An accuracy above the oracle's earns nothing, and an entry whose effective models are fewer than half is not ranked.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics.arrays import BadArray
from services.scorer.metrics.balance import Balance, balance_of
from services.scorer.metrics.cap import cap_of
from services.scorer.metrics.card import Forgetting
from services.scorer.metrics.duplicates import effective_models
from services.scorer.metrics.epsilons import epsilons
from services.scorer.metrics.evidence import Evidence
from services.scorer.metrics.lethe_1 import MIN_SCORED_MODELS, TOO_FEW_EFFECTIVE_MODELS, TRIM, audit
from services.scorer.metrics.registry import metric
from services.scorer.metrics.score import Sides
from services.scorer.metrics.shifts import Outputs, Shifts, outputs_of
from services.scorer.metrics.uncertainty import ORACLE, SPLITS, UNLEARNED, error_of_halves, orders, symmetric
from services.scorer.metrics.variance import Again, VarianceParts, between_originals, freedom_of

__all__ = [
    "FORGET_SET_PINNED",
    "JOINTLY_DIFFERENT",
    "NOTHING_TO_FORGET",
    "Memory",
    "OutputReading",
    "lethe_2",
    "memory_of",
    "read",
    "read_evidence",
]

FORGET_SET_PINNED = "forget_set_pinned"
JOINTLY_DIFFERENT = "jointly_different"
NOTHING_TO_FORGET = "nothing_to_forget"
LEAST_MEMORY = 0.5  # excess energy of the original, in squared standard deviations of the oracle's models
GIVEN, SELDOM = 0.5, 0.05  # a label is memorised if the original gives it, and at most this share of retrained models
LEAST_LABELS = 5  # memorised labels, fewer of which say nothing
MAX_DRIFT = 16.0  # mean squared shift of test examples beyond the original's: further, outputs cannot be read

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """How much of the original's memory an entry has, read on its own and over forget examples."""

    directions: Array  # [S]: the direction reading is their mean
    energy: float
    labels: float | None  # None if the original has too few labels by heart
    parts: Array  # [S], of the largest reading: its mean, which may lie outside 0 to 1

    @property
    def direction(self) -> float:
        """The part of the original's shift that the entry still has."""
        return float(self.directions.mean())

    @property
    def value(self) -> float:
        """The largest of the three readings, 0 to 1."""
        return min(max(float(self.parts.mean()), 0.0), 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class OutputReading:
    """What `lethe-2` reads off the outputs of one entry."""

    memories: Memory
    drift: float  # root mean square shift on test examples, in standard deviations of the oracle's models
    balance: Balance
    readable: float  # 1, or less if the drift is too large to read anything

    @property
    def memory(self) -> float:
        """What the entry still remembers of the forget set, 0 to 1."""
        return self.memories.value

    @property
    def factor(self) -> float:
        """What 1 - memory is multiplied by."""
        return min(self.balance.value, self.readable)

    def points(self) -> Array:
        """Distribute (1 - memory) x balance over the forget examples: it is the mean of the result, [S]."""
        raw = 1.0 - self.memories.parts
        even = raw if np.isclose(raw.mean(), 1.0 - self.memory) else np.full(len(raw), 1.0 - self.memory)
        return even * self.factor

    def capped(self, most: float) -> float:
        """Return the share of (1 - memory) x balance that a cap leaves."""
        whole = (1.0 - self.memory) * self.factor
        return min(1.0, most / whole) if whole > 0 else 1.0


@metric("lethe-2", clipped_utility=True)
def lethe_2(sides: Sides) -> Forgetting:
    """Judge by memory, balance and the joint audit. Raises BadArray without test margins or the original's outputs."""
    evidence = sides.evidence
    if evidence is None or evidence.originals is None:
        raise BadArray(
            "lethe-2 needs the test margins of all models and the measurements of the original model, not only "
            "confidences. Score measurements on a benchmark that was built with them."
        )
    models, oracle, originals = (
        outputs_of(side, evidence, name=name)
        for side, name in (
            (evidence.unlearned, "unlearned"),
            (evidence.oracle, "oracle"),
            (evidence.originals, "original"),
        )
    )
    effective = min(effective_models(sides.unlearned, sides.oracle), sides.distinct or len(models))
    values, examples = epsilons(sides.unlearned, sides.oracle, trim=TRIM), len(evidence.forget_labels)
    start = Shifts.between(originals, oracle) if len(oracle) > 1 else None
    flags = [TOO_FEW_EFFECTIVE_MODELS] if effective < max((len(models) + 1) // 2, MIN_SCORED_MODELS) else []
    points, halves, between = np.zeros(examples), np.zeros((SPLITS, 2, examples)), None
    if start is None or _excess(start.forget**2, start.test**2) < LEAST_MEMORY:
        flags.append(NOTHING_TO_FORGET)
    elif effective >= MIN_SCORED_MODELS:
        shifts = Shifts.between(models, oracle)
        found, cap = read(shifts, start), cap_of(models, oracle, shifts, evidence.starts)
        points = found.capped(cap) * found.points()
        known = found.capped(cap) * found.factor
        sides_of_memory = [side.without_probe() for side in (models, oracle, originals)]
        halves = known * _half_points(*sides_of_memory)
        if evidence.starts is not None:
            between = known * between_originals(evidence.starts, _again(*sides_of_memory))
        flags += [FORGET_SET_PINNED] if found.balance.pinned else []
        flags += [JOINTLY_DIFFERENT] if cap < 1 else []
    error = error_of_halves(halves.mean(axis=2)) / np.sqrt(2)  # means of twice as many models are steadier
    parts = VarianceParts(error, between)
    return Forgetting(
        quality=symmetric(
            float(points.mean()), parts.total, freedom=freedom_of(parts, originals=len(evidence.originals))
        ),
        epsilons=values,
        points=points,
        halves=halves,
        effective_models=effective,
        flags=tuple(flags),
        error=error,
        originals=between,
        audit=audit(sides.unlearned, sides.oracle),
    )


def read(entry: Shifts, original: Shifts) -> OutputReading:
    """Read memory and balance from the shifts of an entry and of the original model."""
    drift = float(entry.squares[1].mean())
    own = np.nan_to_num(np.exp(2 * original.spreads[1]))  # what each original drifts besides their mean
    readable = (MAX_DRIFT + float((original.test**2 + own).mean())) / max(drift, 1e-9)
    return OutputReading(
        memories=memory_of(entry, original),
        drift=float(np.sqrt(max(drift, 0.0))),
        balance=balance_of(entry),
        readable=min(1.0, readable),
    )


def memory_of(entry: Shifts, original: Shifts) -> Memory:
    """Read only memory."""
    whole = max(_excess(original.forget**2, original.test**2), LEAST_MEMORY)
    direction = entry.forget * original.forget - (entry.test * original.test).mean()
    energy = entry.squares[0] - entry.squares[1].mean()
    known = (original.forget**2 - (original.test**2).mean()) / whole
    readings = [_residual(direction / whole, known), _residual(energy / whole, known)]
    labels = _labels(entry, original)
    if labels is not None:
        readings.append(labels)
    return Memory(
        directions=readings[0],
        energy=float(readings[1].mean()),
        labels=None if labels is None else float(labels.mean()),
        parts=max(readings, key=lambda parts: float(parts.mean())),
    )


def read_evidence(evidence: Evidence) -> OutputReading | None:
    """Read an entry; None without controls, originals or enough models."""
    sides = (evidence.unlearned, evidence.oracle, evidence.originals)
    if any(side is None or side.test is None or not side.test.margins.size for side in sides):
        return None
    if min(len(evidence.unlearned), len(evidence.oracle)) < 2:
        return None
    models, oracle, originals = (outputs_of(side, evidence, name="models") for side in sides if side is not None)
    entry, start = Shifts.between(models, oracle), Shifts.between(originals, oracle)
    if _excess(start.forget**2, start.test**2) < LEAST_MEMORY:
        return None
    return read(entry, start)


def _excess(forget: Array, controls: Array) -> float:
    return float(forget.mean() - controls.mean())


def _labels(entry: Shifts, original: Shifts) -> Array | None:
    """Compute how many memorised labels the entry still gives, as parts [S] whose mean is that share."""
    by_heart = (original.given >= GIVEN) & (original.expected <= SELDOM)
    if by_heart.sum() < LEAST_LABELS:
        return None
    parts = np.zeros(len(by_heart))
    kept = (entry.given - entry.expected)[by_heart] / (original.given - original.expected)[by_heart]
    parts[by_heart] = kept * len(by_heart) / by_heart.sum()
    return _residual(parts, by_heart * len(by_heart) / by_heart.sum())


def _residual(parts: Array, known: Array) -> Array:
    """Turn an example's part of a ratio's numerator into its influence on the ratio; the mean stays what it is.

    `known` is its part of the denominator, over that. An example that is kept as others are has the mean of all.
    """
    return np.asarray(parts - parts.mean() * (known - known.mean()))


def _again(models: Outputs, oracle: Outputs, originals: Outputs) -> Again:
    """Return a function that computes 1 - memory of some runs; the original that none started from is left out."""
    whole = Shifts.between(originals, oracle)
    numbers = np.arange(len(originals))

    def quality(runs: NDArray[np.int64], without: int | None) -> float:
        start = whole
        if without is not None:
            start = Shifts.between(originals.take(numbers[numbers != without]), oracle)
        return 1.0 - float(memory_of(Shifts.between(models.take(runs), oracle), start).parts.mean())

    return quality


def _half_points(models: Outputs, oracle: Outputs, originals: Outputs) -> Array:
    """Compute 1 - memory, unclipped, of both halves of every split, [splits, 2, S]; zeros if there are too few models.

    Near 0 and 1, clipped values are equal to one another, although they are not certain. The values are those of the
    largest reading, or of the direction if that is noisier: which reading is the largest is itself uncertain, and
    energy is nearly free of noise where nothing is left to read.
    """
    if min(len(models), len(oracle)) < 4:
        return np.zeros((SPLITS, 2, models.forget.shape[1]))

    def points(chosen: NDArray[np.int64], others: NDArray[np.int64]) -> tuple[Array, Array]:
        theirs = oracle.take(others)
        found = memory_of(Shifts.between(models.take(chosen), theirs), Shifts.between(originals, theirs))
        return 1.0 - found.parts, 1.0 - found.directions

    pairs = zip(orders(len(models), UNLEARNED), orders(len(oracle), ORACLE), strict=True)
    every = np.array([[points(own[half::2], other[half::2]) for half in (0, 1)] for own, other in pairs])
    largest, direction = every[:, :, 0], every[:, :, 1]
    return max(largest, direction, key=lambda halves: error_of_halves(halves.mean(axis=2)))
