"""The metric card of a benchmark: what each number says of models about which the truth is known.

Models of the oracle, which never saw the forget set, are drawn to play an entry, the oracle and the second oracle. Half
of the draws give each number's limits: on each side that is not good, another draw lies beyond with a probability of at
most 5%, because all ranks among draws are equally likely. The other half, held out, counts false alarms. In planted
draws the entry keeps a share of what the original knows: its forget logits are moved that far towards the original's.
They count power.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite

import numpy as np

from services.core.bundle.directory import start_of
from services.core.catalogue import Better, find_column
from services.core.models.reliability import AlarmCard, ColumnCard, MetricCard, Share
from services.scorer.metrics import Evidence, Models
from services.scorer.reliability.shares import share
from services.scorer.scoring import score_by_all

__all__ = ["LEAST_DRAWS", "LEAST_MODELS", "PLANTED", "card_steps", "metric_card"]

PLANTED = (0.02, 0.05, 0.1, 0.5)
LEAST_MODELS = 16  # on each side, below which a draw says nothing
TAIL = 0.05
LEAST_DRAWS = 38  # half of them set limits, and the most extreme of 19 is the least that leaves 5% beyond it
JUDGE = "neurips-2023"  # every metric scores a draw; this one only comes first

Number = tuple[str | None, str]  # a suite and its column, or None and a metric


@dataclass(frozen=True, slots=True)
class _Read:
    """What one draw showed."""

    numbers: Mapping[Number, float]
    alarms: frozenset[str]


def card_steps(draws: int) -> int:
    """Count the steps that a metric card takes at most."""
    return draws + len(PLANTED) * (draws // 2)


def metric_card(whole: Evidence, *, models: int, draws: int, seed: int = 0) -> Generator[None, None, MetricCard | None]:
    """Make the card of a benchmark's own models, with at most so many on each side; yield after each step.

    Returns None if it has too few retrained models to play three sides. Raises ValueError for fewer than 38 draws.
    """
    if draws < LEAST_DRAWS:
        raise ValueError(f"A metric card needs at least {LEAST_DRAWS} draws, half of them to set limits; got {draws}.")
    random = np.random.default_rng(seed)
    pool = whole.oracle if whole.second_oracle is None else whole.oracle.beside(whole.second_oracle)
    size = min(models, len(pool) // 3)
    if size < LEAST_MODELS:
        return None
    shares = PLANTED if whole.originals is not None else ()
    limiting: list[_Read] = []
    held_out: list[_Read] = []
    planted: dict[float, list[_Read]] = {kept: [] for kept in shares}
    for number in range(draws):
        drawn = _draw(whole, pool, size, random)
        (held_out if number % 2 else limiting).append(_read(drawn))
        yield
        for kept in shares if number % 2 else ():
            planted[kept].append(_read(_plant(drawn, kept)))
            yield
    columns, alarms = _columns(limiting, held_out, planted), _alarms([*limiting, *held_out], planted)
    return MetricCard(models=size, draws=draws, planted=shares, columns=tuple(columns), alarms=tuple(alarms))


def _draw(whole: Evidence, pool: Models, size: int, random: np.random.Generator) -> Evidence:
    entry, oracle, second = (pool.take(part) for part in random.permutation(len(pool))[: 3 * size].reshape(3, size))
    return replace(whole, unlearned=entry, oracle=oracle, second_oracle=second, starts=None, runs=None)


def _plant(drawn: Evidence, kept: float) -> Evidence:
    """Let each model of the entry keep a share of its original's knowledge of the forget examples."""
    assert drawn.originals is not None
    entry, originals = drawn.unlearned, drawn.originals.forget_logits
    starts = [start_of(seed, len(originals)) for seed in range(len(entry))]
    logits = (1 - kept) * entry.forget_logits + kept * originals[starts]
    return drawn.of(replace(entry, forget_logits=logits.astype(entry.forget_logits.dtype)))


def _read(drawn: Evidence) -> _Read:
    reports = score_by_all(JUDGE, drawn)
    numbers: dict[Number, float] = {(None, one.card.metric): one.card.forgetting_quality.value for one in reports}
    for suite, values in reports[0].suites.items():
        numbers |= {(suite, name): value for name, value in values.items() if value is not None and isfinite(value)}
    return _Read(numbers, frozenset(alarm.kind for alarm in reports[0].alarms))


def _columns(
    limiting: Sequence[_Read], held_out: Sequence[_Read], planted: Mapping[float, Sequence[_Read]]
) -> Iterator[ColumnCard]:
    for number in limiting[0].numbers:
        better = _better(number)
        values = [one.numbers[number] for one in limiting if number in one.numbers]
        if better is Better.NEITHER or len(values) < len(limiting):
            continue
        low, high = _limits(values, better)
        yield ColumnCard(
            suite=number[0],
            name=number[1],
            low=None if low == -inf else low,
            high=None if high == inf else high,
            false_alarms=_beyond(held_out, number, low, high),
            power={f"{kept:g}": _beyond(reads, number, low, high) for kept, reads in planted.items()},
        )


def _better(number: Number) -> Better:
    suite, name = number
    if suite is None:
        return Better.HIGHER
    column = find_column(suite, name)
    return Better.NEITHER if column is None else column.better


def _limits(values: Sequence[float], better: Better) -> tuple[float, float]:
    """Return the values that at most 5% of retrained models lie beyond, on each side that is not good."""
    ordered = sorted(values)
    beyond = int(TAIL * (len(ordered) + 1))  # of which the last is the limit
    low, high = ordered[beyond - 1], ordered[-beyond]
    return (-inf if better is Better.LOWER else low), (inf if better is Better.HIGHER else high)


def _beyond(reads: Sequence[_Read], number: Number, low: float, high: float) -> Share:
    """Count the draws beyond the limits; a number that has no value there is beyond none."""
    values = [one.numbers[number] for one in reads if number in one.numbers]
    return share(sum(not low <= value <= high for value in values), len(reads))


def _alarms(retrained: Sequence[_Read], planted: Mapping[float, Sequence[_Read]]) -> Iterator[AlarmCard]:
    for kind in sorted({kind for reads in (retrained, *planted.values()) for one in reads for kind in one.alarms}):
        yield AlarmCard(
            kind=kind,
            false_alarms=_raised(retrained, kind),
            power={f"{kept:g}": _raised(reads, kind) for kept, reads in planted.items()},
        )


def _raised(reads: Sequence[_Read], kind: str) -> Share:
    return share(sum(kind in one.alarms for one in reads), len(reads))
