"""How far to trust the numbers of a report: the benchmark's metric card beside the numbers of the score."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.core.catalogue import SUITES, find_column
from services.core.models.reliability import ColumnCard, MetricCard, Share
from services.scorer.metrics import ScoreCard
from services.scorer.report.words import alarm_title, number

__all__ = ["AlarmTrust", "NumberTrust", "Trust", "trust_of"]


@dataclass(frozen=True, slots=True)
class NumberTrust:
    """A number of the score, the limits of retrained models, and what beyond them means."""

    title: str
    value: str
    limits: str
    beyond: str
    false_alarms: str
    power: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlarmTrust:
    """How often an alarm is raised."""

    title: str
    false_alarms: str
    power: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trust:
    """A metric card, as a report shows it."""

    models: int
    draws: int
    planted: tuple[str, ...]
    numbers: tuple[NumberTrust, ...]
    alarms: tuple[AlarmTrust, ...]
    same_models: bool  # whether the score has as many models as a side of the card's draws, on which limits depend


def trust_of(card: MetricCard, score: ScoreCard, suites: Mapping[str, Mapping[str, float | None]]) -> Trust:
    """Put the metric card of a benchmark beside a score."""
    planted = tuple(f"{share:g}" for share in card.planted)
    return Trust(
        models=card.models,
        draws=card.draws,
        planted=tuple(f"{100 * share:g}%" for share in card.planted),
        numbers=tuple(_number(one, _value(one, score, suites), planted) for one in card.columns),
        alarms=tuple(
            AlarmTrust(alarm_title(one.kind), _percent(one.false_alarms), _power(one.power, planted))
            for one in card.alarms
        ),
        same_models=card.models == score.models,
    )


def _number(one: ColumnCard, value: float | None, planted: tuple[str, ...]) -> NumberTrust:
    return NumberTrust(
        title=_title(one),
        value=number(value),
        limits=_limits(one),
        beyond=number(None) if value is None else "yes" if _is_beyond(one, value) else "no",
        false_alarms=_percent(one.false_alarms),
        power=_power(one.power, planted),
    )


def _value(one: ColumnCard, score: ScoreCard, suites: Mapping[str, Mapping[str, float | None]]) -> float | None:
    if one.suite is None:
        return score.forgetting_quality.value if one.name == score.metric else None
    return suites.get(one.suite, {}).get(one.name)


def _is_beyond(one: ColumnCard, value: float) -> bool:
    return (one.low is not None and value < one.low) or (one.high is not None and value > one.high)


def _title(one: ColumnCard) -> str:
    if one.suite is None:
        return one.name
    column, suite = find_column(one.suite, one.name), SUITES.get(one.suite)
    return f"{suite.title if suite else one.suite}: {column.title if column else one.name}"


def _limits(one: ColumnCard) -> str:
    if one.low is None:
        return f"at most {number(one.high)}"
    return f"at least {number(one.low)}" if one.high is None else f"{number(one.low)} to {number(one.high)}"


def _power(power: Mapping[str, Share], planted: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_percent(power[share]) if share in power else number(None) for share in planted)


def _percent(share: Share) -> str:
    return f"{100 * share.value:.0f}%"
