"""A migrated database on each engine, and rows to work on."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from services.core.models import Account, BenchmarkRow, Competition, Device, Evaluation, Phase, PhaseKind, Team
from services.core.queue.lifecycle import queue_evaluation
from services.core.store.database import Database, WriteSession, utc_now


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.dispose()


def add_phase(session: WriteSession, *, seeds: int = 8, shard_seeds: int = 4) -> Phase:
    account = Account(username="organiser", password_hash="-")
    benchmark = BenchmarkRow(digest="d" * 64, name="tiny", manifest={}, manifest_blob="m" * 64)
    session.add_all([account, benchmark, Team(name="team")])
    session.flush()
    competition = Competition(slug="cup", title="Cup", owner_id=account.id)
    session.add(competition)
    session.flush()
    phase = Phase(
        competition_id=competition.id,
        slug="feedback",
        kind=PhaseKind.FEEDBACK,
        benchmark_id=benchmark.id,
        opens_at=utc_now() - timedelta(days=1),
        closes_at=utc_now() + timedelta(days=1),
        seeds=seeds,
        shard_seeds=shard_seeds,
        quota_per_day=5,
        seed_timeout_s=1.0,
        memory_bytes=2**30,
        device=Device.CPU,
        metric="neurips-2023",
        max_time_ratio=0.2,
        data_hidden=False,
    )
    session.add(phase)
    session.flush()
    return phase


@pytest.fixture
def evaluation(database: Database) -> Evaluation:
    """A queued evaluation of 8 seeds in 2 shards."""
    with database.write() as session:
        queue_evaluation(session, add_phase(session), "c" * 64)
    with database.read() as session:
        return session.scalars(select(Evaluation)).one()
