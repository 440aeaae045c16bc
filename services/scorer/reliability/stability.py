"""How stable the order of entries is: against fewer runs, other bins and other numbers."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from services.core.catalogue import SUITES, Better
from services.core.models.reliability import Agreement, OrderOf, PairOf
from services.core.models.stored import SuiteValues
from services.scorer.metrics import METRICS, BadArray, Evidence
from services.scorer.metrics.quality import BUCKET
from services.scorer.reliability.agreement import ENDS, LEAST_ENTRIES, agreement, tau
from services.scorer.reliability.shares import share

__all__ = ["SIZES", "Entry", "Stability", "stability", "stability_steps"]

SIZES = (32, 64, 128, 256)  # runs of each entry, as far as there are more
BINS = (0.0, 0.25, 1.0)  # in nats; 0 has none
BINNED = "neurips-2023"  # the metric with bins

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a leaderboard: how to load its measurements, and its stored columns."""

    load: Callable[[], Evidence]
    suites: SuiteValues


@dataclass(frozen=True, slots=True)
class Stability:
    """How the order of entries changes."""

    orders: tuple[OrderOf, ...]
    pairs: tuple[PairOf, ...]


@dataclass(slots=True)
class _Table:
    """The scores of entries, a row for each."""

    whole: list[dict[str, float]] = field(default_factory=list)  # by metric
    binned: list[dict[float, float]] = field(default_factory=list)  # by width
    drawn: dict[int, list[NDArray[np.float64]]] = field(default_factory=dict)  # by size: [draws, metrics] of each entry


def stability_steps(entries: int, models: int, draws: int) -> int:
    """Count the steps that `stability` takes."""
    return entries * (1 + draws * len(_sizes(models)))


def stability(entries: Sequence[Entry], *, models: int, draws: int, seed: int = 0) -> Generator[None, None, Stability]:
    """Compare orders of entries of N models each; yield after each step.

    For each size, runs are drawn without replacement, the same for all entries and for the oracle, and scored as if no
    others had been made. One entry is in memory at a time.
    """
    random = np.random.default_rng(seed)
    chosen = {size: [np.sort(random.permutation(models)[:size]) for _ in range(draws)] for size in _sizes(models)}
    table = _Table(drawn={size: [] for size in chosen})
    for entry in entries:
        evidence = entry.load()
        whole, binned = _score(evidence)
        table.whole.append(whole)
        table.binned.append(binned)
        yield
        for size, sets in chosen.items():
            found = []
            for seeds in sets:
                scores, _ = _score(evidence.take(seeds))
                found.append([scores.get(name, np.nan) for name in METRICS])
                yield
            table.drawn[size].append(np.array(found))
    return Stability(tuple(_orders(table, models, random)), tuple(_pairs(entries, table, random)))


def _sizes(models: int) -> list[int]:
    return [size for size in SIZES if size < models]


def _score(evidence: Evidence) -> tuple[dict[str, float], dict[float, float]]:
    """Compute the final score by every metric that can, and by the one with bins, for other bins."""
    found: dict[str, float] = {}
    binned: dict[float, float] = {}
    for name, metric in METRICS.items():
        try:
            card = metric(evidence)
        except BadArray:
            continue
        found[name] = card.final_score.value
        if name == BINNED:
            binned = {width: _points(card.epsilons, width) * card.utility.value for width in BINS}
    return found, binned


def _points(epsilons: NDArray[np.float32], width: float) -> float:
    """Average points that halve with every published bucket, of epsilons rounded down to bins of another width."""
    rounded = np.floor(epsilons / width) * width if width else epsilons
    return float(np.exp2(-rounded.astype(np.float64) / BUCKET).mean())


def _orders(table: _Table, models: int, random: np.random.Generator) -> Iterator[OrderOf]:
    enough = len(table.whole) >= LEAST_ENTRIES
    for place, name in enumerate(METRICS):
        whole = np.array([one.get(name, np.nan) for one in table.whole])
        for size, found in table.drawn.items():
            drawn = np.stack(found)[:, :, place].T if found else np.empty((0, 0))  # [draws, entries]
            usable = [one for one in drawn if np.isfinite(one).all() and np.isfinite(whole).all()]
            if not usable:
                continue
            stays = sum(int(one.argmax() == whole.argmax()) for one in usable)
            yield OrderOf(
                metric=name,
                models=size,
                tau=_over_draws([tau(one, whole) for one in usable]) if enough else None,
                leader_stays=share(stays, len(usable)),
            )
    if not enough:
        return
    published = np.array([one.get(BINNED, np.nan) for one in table.whole])
    for width in BINS:
        other = np.array([one.get(width, np.nan) for one in table.binned])
        if np.isfinite(published).all() and np.isfinite(other).all():
            yield OrderOf(metric=BINNED, models=models, bins=width, tau=agreement(other, published, random))


def _over_draws(found: Sequence[float | None]) -> Agreement | None:
    """Average over draws of runs, with the interval in which 95% of the draws lie."""
    values = [one for one in found if one is not None]
    if not values:
        return None
    low, high = np.percentile(values, ENDS)
    return Agreement(value=float(np.mean(values)), low=float(low), high=float(high))


def _pairs(entries: Sequence[Entry], table: _Table, random: np.random.Generator) -> Iterator[PairOf]:
    """Compare the order by every number with that by every other, for entries that have both."""
    numbers: dict[str, Scores] = {name: np.array([one.get(name, np.nan) for one in table.whole]) for name in METRICS}
    for suite in SUITES.values():
        for column in suite.columns:
            values = [one.suites.get(suite.name, {}) for one in entries]
            good = [
                _goodness(one.get(column.name), one.get(column.oracle_column or ""), column.better) for one in values
            ]
            numbers[f"{suite.name}/{column.name}"] = np.array(good)
    for first, second in combinations(numbers, 2):
        both = np.isfinite(numbers[first]) & np.isfinite(numbers[second])
        found = agreement(numbers[first][both], numbers[second][both], random)
        if found is not None:
            yield PairOf(first=first, second=second, entries=int(both.sum()), tau=found)


def _goodness(value: float | None, oracle: float | None, better: Better) -> float:
    """Turn a column's value so that higher is better; NaN if it has none or says nothing of better."""
    if value is None or better is Better.NEITHER:
        return np.nan
    if better is Better.ORACLE:
        return np.nan if oracle is None else -abs(value - oracle)
    return -value if better is Better.LOWER else value
