"""What the scorer would have found of how far a leaderboard can be trusted."""

from services.core.models import Phase
from services.core.models.reliability import (
    Agreement,
    AlarmCard,
    ColumnCard,
    MetricCard,
    OrderOf,
    PairOf,
    ReliabilityForm,
    ReliabilityRow,
    Share,
)
from services.core.store.database import WriteSession, utc_now

__all__ = ["add_reliability"]

RUNS = (8, 16, 32, 64)
COLUMNS = (("u-lira", "auc"), ("klom", "forget_mean"), ("memory", "memory"))
PLANTED = (0.1, 0.3, 1.0)


def add_reliability(session: WriteSession, phase: Phase) -> None:
    """Say how stable the order is, which numbers disagree, and what each says if the truth is known."""
    orders = (_order(metric, runs) for metric in ("neurips-2023", "lethe-1", "lethe-2") for runs in RUNS)
    pairs = (
        PairOf(first=phase.metric, second=f"{suite}/{name}", entries=8, tau=_agreement(0.3 * at - 0.2))
        for at, (suite, name) in enumerate(COLUMNS)
    )
    form = ReliabilityForm(
        metric=phase.metric, entries=8, models=64, draws=200, orders=tuple(orders), pairs=tuple(pairs), card=_card()
    )
    session.add(ReliabilityRow(phase_id=phase.id, asked_at=utc_now(), made_at=utc_now(), form=form))


def _order(metric: str, runs: int) -> OrderOf:
    return OrderOf(metric=metric, models=runs, tau=_agreement(1 - 2 / runs), leader_stays=_share(1 - 1 / runs))


def _card() -> MetricCard:
    power = {f"{share:g}": _share(share) for share in PLANTED}
    columns = tuple(
        ColumnCard(suite=suite, name=name, low=None, high=0.6, false_alarms=_share(0.05), power=power)
        for suite, name in COLUMNS
    )
    alarm = AlarmCard(kind="above_ceiling", false_alarms=_share(0.02), power=power)
    return MetricCard(models=64, draws=200, planted=PLANTED, columns=columns, alarms=(alarm,))


def _agreement(value: float) -> Agreement:
    return Agreement(value=value, low=value - 0.1, high=min(value + 0.1, 1.0))


def _share(value: float) -> Share:
    return Share(value=value, low=max(value - 0.04, 0.0), high=min(value + 0.04, 1.0))
