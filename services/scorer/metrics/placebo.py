"""The placebo audit: what an entry does to models that never saw the forget set, and how that differs.

Some runs also start from *placebos*: retrained models, kept whole by the build. A placebo has nothing to forget. So
unlearning should leave its outputs for forget examples as it leaves those for controls, and runs from originals should
end where runs from placebos end. Three readings tell. Margins are scaled as `lethe-2` scales them, and differences are
in standard deviations of the oracle's models.

- *Following*: a placebo deviates from the mean placebo in its own way. A run keeps a part of that deviation: all of it
  if it does nothing, none if it retrains. Fine-tuning keeps the same part on forget and control examples. An entry that
  replaces outputs of the forget set keeps less of it there.
- *Harm*: how far runs move placebos away from the oracle on forget examples beyond controls, as squared shifts, over
  the same of the original models. Far above 0, an entry changes the forget set whether or not there is anything to
  forget.
- *Memory beyond placebos*: where runs from originals end beyond runs from placebos, along the originals' own shift. It
  needs no retrained model as a reference, so no recipe matters: whatever drift a method has, both kinds have.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from services.scorer.metrics.lethe_2 import LEAST_MEMORY, memory_of
from services.scorer.metrics.shifts import FLOOR, Outputs, Shifts, outputs_of

if TYPE_CHECKING:  # which holds these sides
    from services.scorer.metrics.evidence import Evidence

__all__ = ["Following", "PlaceboReading", "is_replaced", "read_placebo"]

LEAST_STARTS = 4  # placebos with runs, fewer of which say nothing
LEVEL = 0.95
FOLLOWED = 0.2  # part of a placebo's deviation that runs must keep on controls, below which nothing can be missed
REPLACED = 0.5  # of what they keep on controls: below it, forget outputs were replaced if the difference is certain
REPLACED_P = 0.005
PUSHED = 0.25  # of the original's distance: placebos moved further were pushed away, and do not look retrained

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Following:
    """The part of placebos' own deviations that their runs keep, with the error of the difference."""

    forget: float
    test: float
    error: float  # standard error of test - forget, from leaving out one placebo at a time
    starts: int  # placebos with runs

    @property
    def p_value(self) -> float:
        """How likely runs would follow so much less on forget examples by chance; one-sided."""
        return float(t.sf((self.test - self.forget) / max(self.error, FLOOR), self.starts - 1))


@dataclass(frozen=True, slots=True)
class PlaceboReading:
    """What the audit reads; a part that cannot be read is None."""

    following: Following
    harm: float | None
    memory: float | None
    memory_error: float | None  # half of the 95% interval


def read_placebo(evidence: "Evidence") -> PlaceboReading | None:
    """Read placebo runs; None if there are none, or too few placebos or models to compare with."""
    sides = evidence.placebo
    if sides is None or evidence.originals is None or min(len(evidence.oracle), len(sides.runs)) < 2:
        return None
    places = np.unique(sides.started)
    if len(places) < LEAST_STARTS:
        return None
    runs, starts, oracle, originals = (
        outputs_of(side, evidence, name="models").without_probe()
        for side in (sides.runs, sides.starts, evidence.oracle, evidence.originals)
    )
    spread = _spread(oracle)
    ended = _means(runs, sides.started, places).over(spread)
    began = _Pair.of(starts.take(places)).over(spread)
    following = _following(ended, began, _weights(runs, spread))
    whole = Shifts.between(originals, oracle)
    if float((whole.forget**2).mean() - (whole.test**2).mean()) < LEAST_MEMORY:
        return PlaceboReading(following, None, None, None)
    harm = memory_of(Shifts.between(runs, oracle), whole).energy
    memory, error = _memory(evidence, ended, began, _Pair.of(originals).over(spread), _Pair.of(oracle).over(spread))
    return PlaceboReading(following, harm, memory, error)


def is_replaced(reading: PlaceboReading) -> bool:
    """Tell whether runs certainly replace placebos' forget outputs by others that look retrained."""
    following = reading.following
    if following.test < FOLLOWED or following.forget >= REPLACED * following.test:
        return False
    pushed = reading.harm is not None and reading.harm > PUSHED
    return not pushed and following.p_value < REPLACED_P


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """Margins of some models on forget and test examples."""

    forget: Array  # [n, S]
    test: Array  # [n, T]

    @classmethod
    def of(cls, outputs: Outputs) -> "_Pair":
        return cls(outputs.forget, outputs.test)

    def over(self, spread: "_Pair") -> "_Pair":
        return _Pair(self.forget / spread.forget, self.test / spread.test)

    def along(self, direction: "_Pair") -> Array:
        """Project each model on a direction: forget examples beyond test examples, [n]."""
        return np.asarray((self.forget * direction.forget).mean(axis=1) - (self.test * direction.test).mean(axis=1))


def _spread(oracle: Outputs) -> _Pair:
    return _Pair(*(np.maximum(part.std(axis=0, ddof=1), FLOOR) for part in (oracle.forget, oracle.test)))


def _means(runs: Outputs, started: NDArray[np.integer], places: NDArray[np.integer]) -> _Pair:
    """Average the runs of each start."""
    return _Pair(
        *(np.stack([part[started == place].mean(axis=0) for place in places]) for part in (runs.forget, runs.test))
    )


def _weights(runs: Outputs, spread: _Pair) -> tuple[Array, Array]:
    """Weigh examples down on which runs vary more than retrained models do: there noise hides what they keep."""
    forget, test = (
        1 / (1 + (side / one).var(axis=0, ddof=1))
        for side, one in ((runs.forget, spread.forget), (runs.test, spread.test))
    )
    return forget, test


def _following(ended: _Pair, began: _Pair, weights: tuple[Array, Array]) -> Following:
    def both(chosen: NDArray[np.bool_]) -> tuple[float, float]:
        forget = _kept(ended.forget[chosen], began.forget[chosen], weights[0])
        return forget, _kept(ended.test[chosen], began.test[chosen], weights[1])

    starts = len(began.forget)
    forget, test = both(np.ones(starts, dtype=bool))
    without = [both(np.arange(starts) != place) for place in range(starts)]
    error = float(np.sqrt((starts - 1) * np.var([kept - lost for lost, kept in without])))
    return Following(forget, test, error, starts)


def _kept(ended: Array, began: Array, weights: Array) -> float:
    """Regress the deviations of runs' means on those of their starts, over all examples."""
    mine, theirs = (side - side.mean(axis=0) for side in (ended, began))
    return float((weights * mine * theirs).sum() / max(float((weights * theirs * theirs).sum()), FLOOR))


def _memory(
    evidence: "Evidence", ended: _Pair, began: _Pair, originals: _Pair, oracle: _Pair
) -> tuple[float | None, float | None]:
    """Compare where runs from originals and from placebos end, with half of the interval (Welch)."""
    direction = _Pair(
        originals.forget.mean(axis=0) - oracle.forget.mean(axis=0),
        originals.test.mean(axis=0) - oracle.test.mean(axis=0),
    )
    whole = float(originals.along(direction).mean() - began.along(direction).mean())
    if evidence.starts is None or whole <= FLOOR:
        return None, None
    spread = _spread(outputs_of(evidence.oracle, evidence, name="oracle"))
    models = outputs_of(evidence.unlearned, evidence, name="unlearned")
    own = _means(models, evidence.starts, np.unique(evidence.starts)).over(spread).along(direction) / whole
    other = ended.along(direction) / whole
    parts = [float(side.var(ddof=1)) / len(side) for side in (own, other)]
    freedom = sum(parts) ** 2 / max(
        sum(part**2 / (len(side) - 1) for part, side in zip(parts, (own, other), strict=True)), FLOOR**4
    )
    error = float(t.ppf((1 + LEVEL) / 2, max(freedom, 1.0)) * np.sqrt(sum(parts)))
    return float(own.mean() - other.mean()), error
