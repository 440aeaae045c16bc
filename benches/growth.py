"""What a contest asks of Postgres, Redis and the blob store, by measured constants: `python -m benches.growth`.

The script takes evaluations through the queue on a Postgres server of its own, as workers do, and counts statements,
commits, rows and bytes. The rest is arithmetic: so many teams, slots and evaluations a day.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import event, text

from benches.contest import add_phase, stand_in_benchmark
from services.core.models import Device, Phase
from services.core.queue import leases
from services.core.queue.leases import MeasuredSeed, WorkerOffer
from services.core.queue.lifecycle import queue_evaluation
from services.core.settings import Settings
from services.core.store.database import Database
from services.core.store.migrate import upgrade
from services.worker.recording import FLUSH_EVERY_S
from tests.real_services import postgres_server

DAY_S = 86_400
EVALUATIONS = 20  # that are taken through the queue
SEEDS, SHARD_SEEDS = 512, 64
OFFER = WorkerOffer("worker", Device.CPU, "cpu", 2**40)
TABLES = ("evaluations", "shards", "events", "measurements")
READING_BYTES = 6_871_360 / 512  # of one run on `digits`, packed


@dataclass(frozen=True)
class Constants:
    """What one evaluation, one flush of measurements and one renewal of a lease cost."""

    statements: dict[str, float]  # of each act
    rows: dict[str, float]  # that an evaluation leaves, by table
    bytes: dict[str, float]  # with indexes


def main() -> None:
    """Print the constants and what they come to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=100, help="slots that are always busy; default: 100")
    parser.add_argument("--evaluations", type=int, default=100_000, help="evaluations a day; default: 100,000")
    parser.add_argument("--json", action="store_true", help="print an object instead of tables")
    chosen = parser.parse_args()
    with postgres_server() as url:
        constants = _measure(url)
    found = _grow(constants, chosen.workers, chosen.evaluations)
    if chosen.json:
        print(json.dumps({"constants": constants.__dict__, "growth": found}, indent=2))
        return
    table = Table("what", "amount")
    for act, count in constants.statements.items():
        table.add_row(f"statements: {act}", f"{count:.1f}")
    for name in TABLES:
        table.add_row(
            f"{name} of an evaluation", f"{constants.rows[name]:.0f} rows, {constants.bytes[name] / 1e3:.1f} kB"
        )
    for name, amount in found.items():
        table.add_row(name, f"{amount:,.1f}")
    Console().print(table)


def _measure(url: str) -> Constants:
    database = Database(url)
    upgrade(database)
    with database.write() as session:
        phase = add_phase(session, stand_in_benchmark(), seeds=SEEDS, shard_seeds=SHARD_SEEDS)
    spent: dict[str, list[int]] = {}
    before = _sizes(database)
    for number in range(EVALUATIONS):
        _carry_through(database, phase, number, spent)
    after = _sizes(database)
    database.dispose()
    each = {
        name: tuple((b - a) / EVALUATIONS for a, b in zip(before[name], after[name], strict=True)) for name in TABLES
    }
    return Constants(
        {act: sum(counts) / len(counts) for act, counts in spent.items()},
        {name: rows for name, (rows, _) in each.items()},
        {name: size for name, (_, size) in each.items()},
    )


def _carry_through(database: Database, phase: Phase, number: int, spent: dict[str, list[int]]) -> None:
    """Queue an evaluation, and claim, record and finish each of its shards, in one flush, renewing each lease once."""
    lease_s = Settings().lease_s
    with _counted(database, spent, "queueing an evaluation"), database.write() as session:
        queue_evaluation(session, phase, f"{number:064x}")
    for _ in range(SEEDS // SHARD_SEEDS):
        with _counted(database, spent, "claiming a shard"), database.write() as session:
            lease = leases.claim(session, OFFER, lease_s)
        assert lease is not None
        with _counted(database, spent, "renewing a lease"), database.write() as session:
            leases.renew(session, lease, lease_s)
        seeds = range(lease.seed_start, lease.seed_stop)
        found = [MeasuredSeed(seed, f"{number * SEEDS + seed:064x}", f"{seed:064x}", 1.0, 2**30) for seed in seeds]
        with _counted(database, spent, "recording a flush of measurements"), database.write() as session:
            leases.record(session, lease, found)
        with _counted(database, spent, "finishing a shard"), database.write() as session:
            leases.finish(session, lease)


@contextmanager
def _counted(database: Database, spent: dict[str, list[int]], act: str) -> Iterator[None]:
    """Count the statements of a block, with its BEGIN and COMMIT."""
    count: Counter[str] = Counter()

    def see(*_: Any) -> None:
        count["statements"] += 1

    event.listen(database.engine, "before_cursor_execute", see)
    try:
        yield
    finally:
        event.remove(database.engine, "before_cursor_execute", see)
    spent.setdefault(act, []).append(count["statements"] + 2)


def _sizes(database: Database) -> dict[str, tuple[int, int]]:
    """Return rows and bytes of each table, with its indexes."""
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM")
    with database.read() as session:
        return {
            name: (
                int(session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()),
                int(session.execute(text(f"SELECT pg_total_relation_size('{name}')")).scalar_one()),
            )
            for name in TABLES
        }


def _grow(constants: Constants, workers: int, evaluations: int) -> dict[str, float]:
    """Multiply: every slot is busy, flushes as often as it may and renews as often as it must."""
    a_second = evaluations / DAY_S
    shards = SEEDS // SHARD_SEEDS
    statements = constants.statements
    flushes = workers / FLUSH_EVERY_S
    renewals = workers / Settings().renew_every_s
    database = {
        "statements a second: queue, claims, ends": a_second
        * (
            statements["queueing an evaluation"]
            + shards * (statements["claiming a shard"] + statements["finishing a shard"])
        ),
        "statements a second: flushes": flushes * statements["recording a flush of measurements"],
        "statements a second: renewals": renewals * statements["renewing a lease"],
        "commits a second": a_second * (1 + 2 * shards) + flushes + renewals,
    }
    flushed_events = flushes * DAY_S
    return database | {
        "rows a day, millions: measurements": evaluations * constants.rows["measurements"] / 1e6,
        "rows a day, millions: events of progress, at most": flushed_events / 1e6,
        "GB a day: measurements": evaluations * constants.bytes["measurements"] / 1e9,
        "GB a day: events, at most": flushed_events * constants.bytes["events"] / constants.rows["events"] / 1e9,
        "GB a day: packed readings of digits": evaluations * SEEDS * READING_BYTES / 1e9,
        "Redis messages a second": a_second * 2,
    }


if __name__ == "__main__":
    main()
