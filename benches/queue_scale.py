"""Time a claim while 10 to 1,000,000 shards wait, first come first served beside ours: `python -m benches.queue_scale`.

Each row has a database of its own, on SQLite and on Postgres, with 100 teams, of which one queued half of all shards.
`first come` is the statement that chose the oldest evaluation's first shard, with the index that it had. `turns` is
ours. `whole claim` is ours with its locks, writes and commit. Every claim is given back before the next, untimed.

Without `--postgres` the script starts a server that does not wait for the disk.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy import bindparam, create_engine, insert, make_url, or_, select, text

from benches.contest import add_phase, stand_in_benchmark
from services.core.models import (
    Device,
    Evaluation,
    Line,
    Phase,
    Shard,
    State,
    Team,
)
from services.core.queue import leases
from services.core.queue.turns import WorkerOffer, next_shard
from services.core.store.database import Database, WriteSession, utc_now
from services.core.store.migrate import upgrade
from tests.real_services import postgres_server

TEAMS = 100
SHARDS_EACH = 8  # of an evaluation
AT_ONCE = 20_000  # rows inserted by one statement
OFFER = WorkerOffer(worker="bench", device=Device.CPU, device_class="cpu-x86_64", memory_bytes=2**31)
FIRST_COME = (
    select(Shard.id)
    .join(Evaluation, Shard.evaluation_id == Evaluation.id)
    .join(Phase, Evaluation.phase_id == Phase.id)
    .where(
        Shard.state == State.QUEUED,
        Shard.available_at <= bindparam("now"),
        Phase.device == OFFER.device,
        Phase.memory_bytes <= OFFER.memory_bytes,
        or_(Evaluation.device_class.is_(None), Evaluation.device_class == OFFER.device_class),
    )
    .order_by(Evaluation.created_at, Evaluation.id, Shard.seed_start)
    .limit(1)
)


@dataclass(frozen=True)
class Row:
    """Milliseconds of one kind of work, with some number of shards in the queue."""

    database: str
    shards: int
    what: str
    repeats: int
    p50_ms: float
    p99_ms: float


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=int, nargs="+", default=[10, 10_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=300, help="claims that are timed")
    parser.add_argument("--budget-s", type=float, default=30.0, help="time for the repeats of one kind of work")
    parser.add_argument("--postgres", help="URL of a server on which databases may be created and dropped")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    if not options.json:
        print("database     queued shards   work           repeats    p50 ms     p99 ms")
    rows = []
    for shards in options.shards:
        for database in _databases(options.postgres):
            for row in _race(database, shards, options.repeats, options.budget_s):
                rows.append(row)
                if not options.json:
                    numbers = f"{row.repeats:8}{row.p50_ms:10.2f} {row.p99_ms:10.2f}"
                    print(f"{row.database:12}{row.shards:14,}   {row.what:12}{numbers}", flush=True)
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))


def _databases(postgres: str | None) -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as directory:
        yield from _opened(f"sqlite:///{Path(directory) / 'bench.db'}")
    if postgres is None:
        with postgres_server() as url, _created(url) as made:
            yield from _opened(made)
    else:
        with _created(postgres) as made:
            yield from _opened(made)


def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    upgrade(database)
    yield database
    database.dispose()


@contextmanager
def _created(server: str) -> Iterator[str]:
    """Create a database on a Postgres server; drop it at the end."""
    name = f"bench_{uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def _race(database: Database, shards: int, repeats: int, budget_s: float) -> Iterator[Row]:
    with database.write() as session:
        _fill(session, shards)
    with database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()

    def timed(what: str, work: Callable[[], float]) -> Row:
        spent: list[float] = []
        work()
        end = time.monotonic() + budget_s
        while len(spent) < repeats and (time.monotonic() < end or not spent):
            spent.append(1e3 * work())
        p50, p99 = np.percentile(spent, [50, 99])
        name = database.engine.dialect.name
        return Row(name, shards, what, len(spent), round(float(p50), 3), round(float(p99), 3))

    yield timed("turns", lambda: _choose(database, lambda session: next_shard(session, OFFER, utc_now())))
    yield timed("whole claim", lambda: _claim(database))
    with database.engine.connect() as connection:
        connection.execute(text("CREATE INDEX first_come ON shards (state, available_at)"))
        connection.execute(text("ANALYZE"))
        connection.commit()
    yield timed("first come", lambda: _choose(database, lambda session: session.scalar(FIRST_COME, {"now": utc_now()})))


def _choose(database: Database, choice: Callable[[WriteSession], UUID | None]) -> float:
    with database.write() as session:
        start = time.perf_counter()
        assert choice(session) is not None
        return time.perf_counter() - start


def _claim(database: Database) -> float:
    start = time.perf_counter()
    with database.write() as session:
        lease = leases.claim(session, OFFER, 30)
    spent = time.perf_counter() - start
    assert lease is not None
    with database.write() as session:
        leases.release(session, lease)
    return spent


def _fill(session: WriteSession, shards: int) -> None:
    phase_id, benchmark_id, teams = _add_phase(session)
    line_ids = [uuid4() for _ in teams]
    evaluations = [
        {
            "id": uuid4(),
            "phase_id": phase_id,
            "benchmark_id": benchmark_id,
            "code_sha256": f"{number:064x}",
            "seeds": SHARDS_EACH,
            "seed_key": bytes(32),
            "last_event": 0,
            "created_at": utc_now() - timedelta(hours=1) + timedelta(milliseconds=number),
        }
        for number in range(-(-shards // SHARDS_EACH))
    ]
    whose = [line_ids[0] if number % 2 else line_ids[number // 2 % TEAMS] for number in range(len(evaluations))]
    rows: list[dict[str, Any]] = [
        {
            "id": uuid4(),
            "evaluation_id": evaluation["id"],
            "line_id": line_id,
            "seed_start": start,
            "seed_stop": start + 1,
            "queued_at": evaluation["created_at"],
            "available_at": evaluation["created_at"],
        }
        for evaluation, line_id in zip(evaluations, whose, strict=True)
        for start in range(SHARDS_EACH)
    ][:shards]
    queued = dict.fromkeys(line_ids, 0)
    for row in rows:
        queued[row["line_id"]] += 1
    lines = [
        {"id": line_id, "phase_id": phase_id, "team_id": team_id, "queued": queued[line_id]}
        for line_id, team_id in zip(line_ids, teams, strict=True)
    ]
    for table, values in ((Line, lines), (Evaluation, evaluations), (Shard, rows)):
        for start in range(0, len(values), AT_ONCE):
            session.execute(insert(table), values[start : start + AT_ONCE])


def _add_phase(session: WriteSession) -> tuple[UUID, UUID, list[UUID]]:
    teams = [Team(name=f"team-{number}") for number in range(TEAMS)]
    session.add_all(teams)
    phase = add_phase(session, stand_in_benchmark(), seeds=SHARDS_EACH)
    return phase.id, phase.benchmark_id, [team.id for team in teams]


if __name__ == "__main__":
    main()
