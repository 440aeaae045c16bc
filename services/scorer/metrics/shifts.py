"""How far an entry's outputs moved from retrained models', on forget examples and on controls that nobody forgot.

A *margin* is the log-odds of the label used in training. Two exact retrainings with different recipes differ most in
the scale of all margins, so each model's margins are divided by its own scale, the median size of its margins on the
test set. A *shift* is the difference of an entry's mean from the oracle's, in standard deviations of the oracle's
models. If runs start from several originals, squared shifts and spreads are those of the runs of one original, averaged
over originals: what differs between originals neither cancels out nor counts as spread. Shifts on controls (test set
and probed retain examples) are *drift*: every method that starts from one original has it. What forget examples show
beyond it is *memory*.
"""

from dataclasses import dataclass, replace
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
FEWEST_RUNS = 2  # of each original, on average
LEAST_SPREAD = 0.05  # of an entry over the oracle's: below it, rounding decides how much equal models differ

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """Margins of N models in units of each model's own scale, and whether each forget label is given."""

    forget: Array  # [N, S]
    test: Array  # [N, T]
    probe: Array  # [N, P]; P may be 0
    given: NDArray[np.bool_]  # [N, S]
    starts: Labels | None = None  # [N], a number for the original that a model started from, if there are several

    def __len__(self) -> int:
        return len(self.forget)

    def take(self, chosen: NDArray[np.integer[Any]]) -> Self:
        """Keep some models."""
        starts = None if self.starts is None else self.starts[chosen]
        return type(self)(self.forget[chosen], self.test[chosen], self.probe[chosen], self.given[chosen], starts)

    def without_probe(self) -> Self:
        """Leave out the probed retain examples."""
        return replace(self, probe=self.probe[:, :0])


@dataclass(frozen=True, slots=True, eq=False)
class Shifts:
    """Mean shifts of an entry's outputs and how their spread differs, each with its sampling noise removed."""

    models: int  # on the side with fewer
    forget: Array  # [S], in standard deviations of the oracle's models
    test: Array  # [T]
    probe: Array  # [P]
    squares: tuple[Array, Array, Array]  # squared shifts less what sampling alone adds; means over originals
    spreads: tuple[Array, Array, Array]  # log of the entry's standard deviation over the oracle's, likewise
    gaps: tuple[Array, Array, Array]  # 2 KL divergence of Gaussians with these means and spreads, likewise
    given: Array  # [S], share of models that give the forget label
    expected: Array  # [S], share of the oracle's models that give it

    @classmethod
    def between(cls, models: Outputs, oracle: Outputs) -> Self:
        """Compare models with an oracle of at least two."""
        groups = _groups(models)
        parts = [
            _shift(mine, theirs, groups)
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
    """Scale the margins of some models, once; the entry's know their originals.

    Raises BadArray if the test set was not measured.
    """
    if models.test is None or not models.test.margins.shape[1]:
        raise BadArray(f"{name} has no test margins, which controls need.")
    labels = evidence.forget_labels
    found = models.once(("outputs", np.asarray(labels).tobytes()), lambda: _outputs(models, labels))
    known = models is evidence.unlearned and evidence.starts is not None and len(evidence.starts) == len(models)
    return replace(found, starts=evidence.starts) if known else found


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


def _groups(models: Outputs) -> Labels:
    """Number the originals of N models, [N]; all are of one if that is unknown, or there are too few runs of each."""
    if models.starts is None:
        return np.zeros(len(models), dtype=np.int64)
    names, groups = np.unique(models.starts, return_inverse=True)
    return groups if len(models) >= FEWEST_RUNS * len(names) else np.zeros(len(models), dtype=np.int64)


def _shift(mine: Array, theirs: Array, groups: Labels) -> tuple[Array, Array, Array, Array]:
    """Compute shifts, their squares, log spreads and the gaps of Gaussians, [n] each.

    Margins are [N, n] and [M, n]; `groups` [N] are numbers from 0 of the originals of the first.
    """
    spread = np.maximum(theirs.std(axis=0, ddof=1), FLOOR)
    shift: Array = (mine.mean(axis=0) - theirs.mean(axis=0)) / spread
    if len(mine) < 2:
        unknown = np.full_like(shift, np.nan)
        return shift, shift**2 - 1 / len(theirs), unknown, unknown
    sizes = np.bincount(groups)
    of_originals = (np.eye(len(sizes))[:, groups] @ mine) / sizes[:, None]
    own = len(mine) - len(sizes)  # degrees of freedom of the spread within originals
    ratio: Array = np.sqrt(((mine - of_originals[groups]) ** 2).sum(axis=0) / own) / spread
    squares = sizes @ ((of_originals - theirs.mean(axis=0)) / spread) ** 2 / len(mine)
    squares -= len(sizes) * ratio**2 / len(mine) + 1 / len(theirs)
    ratio = np.maximum(ratio, LEAST_SPREAD)
    sampling = 1 / own + 1 / (len(theirs) - 1)
    return shift, squares, np.log(ratio), squares + ratio**2 - 1 - 2 * np.log(ratio) - sampling
