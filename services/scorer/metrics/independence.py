"""Are the runs of an evaluation independent draws? Asked of the stored margins alone, in the order in which runs ran.

A run can learn of earlier ones through channels that no sandbox closes, such as clocks. Independent runs can be put
into any order, so the margins in the order of time are compared with the same margins in random orders:

- *pairs*: are runs one, or two to four, apart in the same sandbox alike, or unlike?
- *blocks*: do means of 4, 16 and 64 consecutive runs of a sandbox differ more than means of as many random runs
  (drift), or less (runs that share out the possible outcomes among themselves)?

Runs are compared by features of their margins: the ranks of each example's margins, and the ranks of the models on the
principal components of all margins. Waves of a rank (a cosine of 1 to 8 half periods) tell how evenly runs fill the
range: blocks of stratified draws differ too little on every wave, whatever the order within a block.

All figures are studentised over random orders, and the largest is compared with the largest of each random order, so
the p-value of all together is exact, however they depend on each other. A first look at a few orders dismisses most
honest evaluations; the p-value of a second, independent look alone can raise the alarm.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from services.scorer.metrics.evidence import Models, Runs
from services.scorer.metrics.kernel import compiled

__all__ = ["ALARM_P", "MIN_RUNS", "Independence", "examine", "independence"]

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

ALARM_P = 0.001  # the share of honest evaluations that raise the alarm is at most this
MIN_RUNS = 32
FIRST_LOOK, SECOND_LOOK = 499, 1999  # random orders
DISMISSED_P = 0.02  # of the first look, above which the second would hardly find anything
LAGS = ((1, 1), (2, 4))  # first and last distance of the runs of a pair
BLOCKS = (4, 16, 64)
FORGET_EXAMPLES, OTHER_EXAMPLES = 256, 256  # evenly chosen, of the forget set and of each other set
COMPONENTS = 16


@dataclass(frozen=True, slots=True)
class Independence:
    """How unlikely the order of an evaluation's runs is if they are independent."""

    p_value: float
    finding: str  # the figure that stands out most, in words
    z: float  # its value, in standard deviations of random orders


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """Runs in the order of time, sandbox after sandbox."""

    models: Numbers  # [N], the model of each place
    first: Numbers  # [N], the first place of the same sandbox
    groups: tuple[Numbers, ...]  # places whose models may change places: those of one original model

    @classmethod
    def of(cls, runs: Runs) -> "_Line":
        models = np.lexsort((runs.position, runs.sandbox))
        sandboxes = runs.sandbox[models]
        starts = np.flatnonzero(np.r_[True, sandboxes[1:] != sandboxes[:-1]])
        first = np.repeat(starts, np.diff(np.r_[starts, len(models)]))
        originals = np.zeros(len(models)) if runs.original is None else runs.original[models]
        groups = tuple(np.flatnonzero(originals == one) for one in np.unique(originals))
        return cls(models, first, groups)

    def centred(self, columns: Array) -> Array:
        """Subtract from columns [N, D] the mean of each group, because different originals give different margins."""
        result = columns.copy()
        for group in self.groups:
            result[group] -= result[group].mean(axis=0)
        return result

    def shuffled(self, rng: np.random.Generator, orders: int) -> Numbers:
        """Draw random orders [orders, N]."""
        result = np.tile(np.arange(len(self.models)), (orders, 1))
        for group in self.groups:
            result[:, group] = rng.permuted(np.tile(group, (orders, 1)), axis=1)
        return result


def independence(models: Models, labels: NDArray[np.integer], runs: Runs) -> Independence | None:
    """Test whether runs are independent. None if they are too few, or all models are the same."""
    others = [side.margins for side in (models.test, models.probe) if side is not None]
    key = hashlib.sha256(np.ascontiguousarray(models.forget_logits).tobytes()).digest()
    return examine(models.confidences(labels), others, runs, key=key)


def examine(forget: Array, others: list[NDArray[np.floating]], runs: Runs, *, key: bytes) -> Independence | None:
    """Test margins [N, S] of the forget set and [N, T] of other sets. The key decides which orders are drawn."""
    if len(forget) < MIN_RUNS:
        return None
    line = _Line.of(runs)
    likeness = _likeness(line, *(_chosen(side, line, most) for side, most in _sides(forget, others)))
    if likeness is None:
        return None
    rng = np.random.default_rng(np.frombuffer(key, dtype=np.uint32))
    found = _compare(line, likeness, rng, FIRST_LOOK)
    return found if found.p_value > DISMISSED_P else _compare(line, likeness, rng, SECOND_LOOK)


def _sides(forget: Array, others: list[NDArray[np.floating]]) -> list[tuple[NDArray[np.floating], int]]:
    return [(forget, FORGET_EXAMPLES), *((side, OTHER_EXAMPLES) for side in others)]


def _chosen(side: NDArray[np.floating], line: _Line, most: int) -> Array:
    """Return the margins of at most so many examples, in the order of time, without those equal for all models."""
    columns = np.unique(np.linspace(0, side.shape[1] - 1, min(most, side.shape[1])).round().astype(int))
    margins = line.centred(side[np.ix_(line.models, columns)].astype(np.float64))
    return margins[:, np.ptp(margins, axis=0) > 0]


@dataclass(frozen=True, slots=True, eq=False)
class _Likeness:
    """Inner products of the features of all pairs of runs, by kind of feature."""

    names: tuple[str, ...]
    products: NDArray[np.float32]  # [K, N, N]


def _likeness(line: _Line, forget: Array, *others: Array) -> _Likeness | None:
    other = np.concatenate([forget[:, :0], *others], axis=1)
    told = [side for side in (forget, other) if side.shape[1]]
    if not told:
        return None
    components, weights = _components(told)
    kinds = {
        "forget margins": _waves(forget, 1),
        "evenness of forget margins": _waves(forget, 4),
        "retain and test margins": _waves(other, 1),
        "principal components of the margins": _waves(components, 4) * np.tile(weights, 4),
        "evenness of the first principal component": _waves(components[:, :1], 8),
    }
    products = {}
    for name, waves in kinds.items():
        features = line.centred(waves)
        product = features @ features.T
        if np.trace(product) > 0:
            products[name] = (product / np.trace(product)).astype(np.float32)
    return _Likeness(tuple(products), np.stack(list(products.values())))


def _components(sides: list[Array]) -> tuple[Array, Array]:
    """Return the models' places [N, D] on the principal components of standardised margins, and weights [D].

    Each side counts alike. A component weighs as much as it varies, so that a few strong ones are not lost in noise.
    """
    standard = [side / side.std(axis=0) / np.sqrt(side.shape[1]) for side in sides]
    values, vectors = np.linalg.eigh(sum(side @ side.T for side in standard))
    kept = slice(-1, -1 - min(COMPONENTS, len(values) // 4), -1)
    return vectors[:, kept], np.maximum(values[kept], 0) / values[-1]


def _waves(columns: Array, most: int) -> Array:
    """Return cosines of 1 to `most` half periods of each column's ranks, [N, D * most]."""
    places = (rankdata(columns, axis=0) - 0.5) / max(len(columns), 1)
    return np.concatenate([np.cos(np.pi * wave * places) for wave in range(1, most + 1)], axis=1)


def _compare(line: _Line, likeness: _Likeness, rng: np.random.Generator, orders: int) -> Independence:
    """Compare the order of time with random orders."""
    there = np.arange(len(line.models))[None]
    blocks = _block_sizes(line)
    drawn = np.concatenate([there, line.shuffled(rng, orders)])
    figures = _figures(likeness.products, drawn, line.first, np.array(LAGS), np.array(blocks))
    figures[:, len(LAGS) :] = np.cbrt(np.maximum(figures[:, len(LAGS) :], 0))  # makes a variance nearly normal
    z = ((figures - figures.mean(axis=0)) / np.maximum(figures.std(axis=0), 1e-12)).round(6)
    largest = np.abs(z).max(axis=(1, 2))
    pattern, kind = np.unravel_index(int(np.abs(z[0]).argmax()), z[0].shape)
    value = float(z[0, pattern, kind])
    return Independence(
        p_value=float((largest >= largest[0]).mean()),
        finding=_finding(int(pattern), blocks, likeness.names[kind], value),
        z=value,
    )


def _block_sizes(line: _Line) -> list[int]:
    """Choose the block sizes that divide some sandbox's runs, or tell sandboxes apart, in different ways."""
    longest = int(np.unique(line.first, return_counts=True)[1].max())
    sizes = [size for size, smaller in zip(BLOCKS, (1, *BLOCKS), strict=False) if smaller < longest]
    return [size for size in sizes if size < len(line.models)]


def _finding(pattern: int, blocks: list[int], kind: str, z: float) -> str:
    if pattern < len(LAGS):
        apart = ("one after another", "two to four apart")[pattern]
        return f"runs {apart} are too {'alike' if z > 0 else 'unlike'} in {kind}"
    size = blocks[pattern - len(LAGS)]
    return f"blocks of {size} consecutive runs are too {'uneven' if z > 0 else 'even'} in {kind}"


@compiled
def _figures(
    products: NDArray[np.float32], orders: Numbers, first: Numbers, lags: Numbers, blocks: Numbers
) -> NDArray[np.float64]:
    """Compute, for orders [B, N] and kinds [K, N, N], figures [B, lags + blocks, K].

    For lags it is the sum of products over pairs of that distance in one sandbox; for blocks, the sum over blocks of
    the squared length of their mean feature, times their size.
    """
    kinds, models = len(products), len(first)
    figures = np.zeros((len(orders), len(lags) + len(blocks), kinds))
    for kind in range(kinds):
        product = products[kind]
        for row in range(len(orders)):
            order = orders[row]
            for at in range(len(lags)):
                total = 0.0
                for lag in range(lags[at, 0], lags[at, 1] + 1):
                    for place in range(lag, models):
                        if place - lag >= first[place]:
                            total += product[order[place], order[place - lag]]
                figures[row, at, kind] = total
            for at in range(len(blocks)):
                total, start = 0.0, 0
                while start < models:
                    stop = start + 1
                    while stop < models and first[stop] == first[start] and stop - start < blocks[at]:
                        stop += 1
                    inside = 0.0
                    for place in range(start, stop):
                        line = product[order[place]]
                        inside += 0.5 * line[order[place]]
                        for other in range(start, place):
                            inside += line[order[other]]
                    total += 2 * inside / (stop - start)
                    start = stop
                figures[row, len(lags) + at, kind] = total
    return figures
