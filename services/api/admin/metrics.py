"""Prometheus metrics for operators: the state of the queue and of evaluations, read from the database."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import and_, func, select

from services.core.models import (
    BROKEN_OFF,
    Evaluation,
    Event,
    EventKind,
    Shard,
    State,
    Submission,
    SubmissionKind,
)
from services.core.queue.lifecycle import awaiting_score
from services.core.queue.workers import all_workers, is_gone
from services.core.store.database import Database, ReadSession, utc_now

__all__ = ["DatabaseMetrics", "render"]


class DatabaseMetrics(Collector):
    """Reads the database at each scrape, so that any API process answers for the whole installation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> Iterator[Metric]:
        """Describe nothing, because registering must not read the database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Read all metrics."""
        with self._database.read() as session:
            yield from (_queue_age(session, utc_now()), _shards(session), _evaluations(session))
            yield from (
                *_unscored(session, utc_now()),
                _seeds(session),
                _retries(session),
                *_workers(session, utc_now()),
            )


def render(registry: CollectorRegistry) -> bytes:
    """Write all metrics in the text format of Prometheus."""
    return generate_latest(registry)


def _queue_age(session: ReadSession, now: datetime) -> Metric:
    oldest = dict.fromkeys(SubmissionKind, 0.0)
    rows = session.execute(
        select(Submission.kind, func.min(Evaluation.created_at))
        .join(Evaluation, and_(Submission.phase_id == Evaluation.phase_id, Submission.blob == Evaluation.code_sha256))
        .join(Shard, Shard.evaluation_id == Evaluation.id)
        .where(Shard.state == State.QUEUED)
        .group_by(Submission.kind)
    )
    for kind, created_at in rows:
        oldest[kind] = (now - created_at).total_seconds()
    found = GaugeMetricFamily(
        "lethe_queue_oldest_seconds", "Age of the oldest evaluation that waits for a worker, by kind.", labels=["kind"]
    )
    for kind, age in oldest.items():
        found.add_metric([kind], age)
    return found


def _shards(session: ReadSession) -> Metric:
    counts = dict.fromkeys(State, 0)
    for state, count in session.execute(select(Shard.state, func.count()).group_by(Shard.state)):
        counts[state] = count
    found = GaugeMetricFamily("lethe_shards", "Shards, the units that workers lease, by state.", labels=["state"])
    for state, count in counts.items():
        found.add_metric([state], count)
    return found


def _evaluations(session: ReadSession) -> Metric:
    found = GaugeMetricFamily(
        "lethe_evaluations", "Evaluations by state; failed ones also by kind of failure.", labels=["state", "failure"]
    )
    kinds = (Evaluation.state, Evaluation.failure_kind)
    for state, failure, count in session.execute(select(*kinds, func.count()).group_by(*kinds)):
        found.add_metric([state, failure or ""], count)
    return found


def _unscored(session: ReadSession, now: datetime) -> list[Metric]:
    waiting = awaiting_score().with_only_columns(func.count(), func.min(Evaluation.finished_at))
    count, oldest = session.execute(waiting).one()
    age_s = (now - oldest).total_seconds() if oldest else 0.0
    return [
        GaugeMetricFamily("lethe_unscored", "Evaluations that are measured but not scored.", value=count),
        GaugeMetricFamily(
            "lethe_unscored_oldest_seconds", "Time that the oldest unscored evaluation has waited.", value=age_s
        ),
    ]


def _seeds(session: ReadSession) -> Metric:
    """Count measured runs, including those that a notebook's retry discarded, because a counter must not decrease."""
    measured = session.scalar(select(func.sum(Evaluation.seeds_done))) or 0
    discarded = select(func.sum(Event.payload["seeds"].as_integer())).where(
        BROKEN_OFF, Event.kind == EventKind.DISCARDED
    )
    value = float(measured + (session.scalar(discarded) or 0))
    return CounterMetricFamily("lethe_seeds_measured", "Unlearning runs that were measured.", value=value)


def _workers(session: ReadSession, now: datetime) -> list[Metric]:
    found = all_workers(session)
    alive = [worker for worker in found if not is_gone(worker, now)]
    workers = GaugeMetricFamily(
        "lethe_workers", "Workers: alive, or gone for less than a day without having been stopped.", labels=["state"]
    )
    workers.add_metric(["alive"], len(alive))
    workers.add_metric(["gone"], len(found) - len(alive))
    busy = sum(worker.slots_busy for worker in alive)
    slots = GaugeMetricFamily("lethe_worker_slots", "Slots of the workers that are alive.", labels=["state"])
    slots.add_metric(["busy"], busy)
    slots.add_metric(["free"], sum(worker.slots for worker in alive) - busy)
    disk = GaugeMetricFamily(
        "lethe_worker_free_disk_bytes", "Free disk of the worker that has least, of those that are alive."
    )
    if alive:
        disk.add_metric([], min(worker.free_disk_bytes for worker in alive))
    tests = GaugeMetricFamily(
        "lethe_worker_self_tests", "Workers that are alive, by the result of their self-test.", labels=["result"]
    )
    results = [worker.self_test.result if worker.self_test else "none" for worker in alive]
    counts = {name: results.count(name) for name in ("passed", "none")}
    for name, count in (counts | {"failed": len(alive) - sum(counts.values())}).items():
        tests.add_metric([name], count)
    return [workers, slots, disk, tests]


def _retries(session: ReadSession) -> Metric:
    found = CounterMetricFamily(
        "lethe_shard_retries",
        "Attempts at a shard that ended by a lost lease or a platform failure. After the third, the evaluation fails.",
        labels=["cause"],
    )
    cause = Event.payload["cause"].as_string()
    ended = and_(BROKEN_OFF, Event.kind.in_([EventKind.RETRIED, EventKind.FAILED]), cause.is_not(None))
    rows = session.execute(select(cause, func.count()).where(ended).group_by(cause))
    counts = {"lease_lost": 0, "platform": 0} | {str(name): count for name, count in rows}
    for name, count in counts.items():
        found.add_metric([name], count)
    return found
