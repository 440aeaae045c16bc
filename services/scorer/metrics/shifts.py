"""How far an entry's outputs moved from retrained models', on forget examples and on controls that nobody forgot.

A *margin* is the log-odds of the label used in training. Two exact retrainings with different recipes differ most in
the scale of all margins, so each model's margins are divided by its own scale, the median size of its margins on the
test set. A *shift* is the difference of an entry's mean from the oracle's, in standard deviations of the oracle's
models. Shifts on controls (test set and probed retain examples) are *drift*: every method that starts from one original
has it. What forget examples show beyond it is *memory*.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

from services.scorer.metrics.arrays import BadArray
from services.scorer.metrics.evidence import Evidence, Labels, Models
from services.scorer.metrics.suites.predictions import log_odds

__all__ = ["MAX_CONTROLS", "Outputs", "Shifts", "outputs_of", "weights_moved", "weights_spread"]

MAX_CONTROLS = 1000  # of each kind, evenly chosen: more would add cost and hardly any precision
FLOOR = 1e-6  # of scales and standard deviations

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """Margins of N models in units of each model's own scale, and whether each forget label is given."""

    forget: Array  # [N, S]
    test: Array  # [N, T]
    probe: Array  # [N, P]; P may be 0
    given: NDArray[np.bool_]  # [N, S]

    def __len__(self) -> int:
        return len(self.forget)

    def take(self, chosen: NDArray[np.integer[Any]]) -> Self:
        """Keep some models."""
        return type(self)(self.forget[chosen], self.test[chosen], self.probe[chosen], self.given[chosen])

    def without_probe(self) -> Self:
        """Leave out the probed retain examples."""
        return type(self)(self.forget, self.test, self.probe[:, :0], self.given)


@dataclass(frozen=True, slots=True, eq=False)
class Shifts:
    """Mean shifts of an entry's outputs and how their spread differs, each with its sampling noise removed."""

    models: int  # on the side with fewer
    forget: Array  # [S], in standard deviations of the oracle's models
    test: Array  # [T]
    probe: Array  # [P]
    squares: tuple[Array, Array, Array]  # squared shifts less what sampling alone adds, of the same examples
    spreads: tuple[Array, Array, Array]  # log of the entry's standard deviation over the oracle's, likewise
    gaps: tuple[Array, Array, Array]  # 2 KL divergence of Gaussians with these means and spreads, likewise
    given: Array  # [S], share of models that give the forget label
    expected: Array  # [S], share of the oracle's models that give it

    @classmethod
    def between(cls, models: Outputs, oracle: Outputs) -> Self:
        """Compare models with an oracle of at least two."""
        parts = [
            _shift(mine, theirs)
            for mine, theirs in (
                (models.forget, oracle.forget),
                (models.test, oracle.test),
                (models.probe, oracle.probe),
            )
        ]
        (forget, test, probe), squares, spreads, gaps = zip(*parts, strict=True)
        return cls(
            min(len(models), len(oracle)),
            forget,
            test,
            probe,
            squares,
            spreads,
            gaps,
            models.given.mean(axis=0),
            oracle.given.mean(axis=0),
        )


def outputs_of(models: Models, evidence: Evidence, *, name: str) -> Outputs:
    """Scale the margins of some models, once. Raises BadArray if the test set was not measured."""
    if models.test is None or not models.test.margins.shape[1]:
        raise BadArray(f"{name} has no test margins, which controls need.")
    labels = evidence.forget_labels
    return models.once(("outputs", np.asarray(labels).tobytes()), lambda: _outputs(models, labels))


def _outputs(models: Models, labels: Labels) -> Outputs:
    assert models.test is not None
    forget = log_odds(models.forget_logits, labels)
    scale = np.maximum(np.median(np.abs(models.test.margins), axis=1).astype(np.float64), FLOOR)[:, None]
    probe = np.empty((len(models), 0)) if models.probe is None else _some(models.probe.margins)
    given = models.forget_logits.argmax(axis=2) == labels
    return Outputs(forget / scale, _some(models.test.margins) / scale, probe / scale, given)


def weights_moved(evidence: Evidence) -> float | None:
    """Estimate the mean distance of weights to the nearest original, over that of retrained models; None if unknown."""
    models, oracle, originals = (_sketches(side) for side in (evidence.unlearned, evidence.oracle, evidence.originals))
    if models is None or oracle is None or originals is None:
        return None
    own, other = (float(cdist(side, originals).min(axis=1).mean()) for side in (models, oracle))
    return own / other if other else None


def weights_spread(evidence: Evidence) -> float | None:
    """Estimate the mean distance of weights between runs, over that between retrained models; None if unknown."""
    models, oracle = (_sketches(side) for side in (evidence.unlearned, evidence.oracle))
    if models is None or oracle is None or min(len(models), len(oracle)) < 2:
        return None
    own, other = (float(pdist(side).mean()) for side in (models, oracle))
    return own / other if other else None


def _sketches(models: Models | None) -> Array | None:
    return None if models is None or models.weight_sketch is None else models.weight_sketch.astype(np.float64)


def _some(margins: NDArray[np.floating[Any]]) -> Array:
    """Choose at most 1,000 examples, evenly."""
    examples = margins.shape[1]
    chosen = np.unique(np.linspace(0, examples - 1, min(MAX_CONTROLS, examples)).astype(np.int64))
    return margins[:, chosen].astype(np.float64)


def _shift(mine: Array, theirs: Array) -> tuple[Array, Array, Array, Array]:
    """Compute shifts, their squares, log spreads and the gaps of Gaussians, [n] each, from margins [N, n], [M, n]."""
    spread = np.maximum(theirs.std(axis=0, ddof=1), FLOOR)
    shift: Array = (mine.mean(axis=0) - theirs.mean(axis=0)) / spread
    if len(mine) < 2:
        unknown = np.full_like(shift, np.nan)
        return shift, shift**2 - 1 / len(theirs), unknown, unknown
    ratio = np.maximum(mine.std(axis=0, ddof=1) / spread, FLOOR)
    squares = shift**2 - ratio**2 / len(mine) - 1 / len(theirs)
    sampling = 1 / (len(mine) - 1) + 1 / (len(theirs) - 1)
    return shift, squares, np.log(ratio), squares + ratio**2 - 1 - 2 * np.log(ratio) - sampling
