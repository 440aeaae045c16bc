"""A competition with one open phase, as measurements and simulations need it."""

from datetime import timedelta
from typing import Any

from services.core.models import Account, BenchmarkRow, Competition, Device, Phase, PhaseKind
from services.core.store.database import WriteSession, utc_now

__all__ = ["add_phase", "stand_in_benchmark"]


def add_phase(session: WriteSession, benchmark: BenchmarkRow, **changes: Any) -> Phase:
    """Add a competition `bench` and its phase `final`, of one seed in a shard unless `changes` say otherwise."""
    organiser = Account(username="organiser", password_hash="-")
    session.add_all([organiser, benchmark])
    session.flush()
    competition = Competition(slug="bench", title="Bench", owner_id=organiser.id)
    session.add(competition)
    session.flush()
    values: dict[str, Any] = {
        "slug": "final",
        "kind": PhaseKind.FINAL,
        "opens_at": utc_now() - timedelta(days=1),
        "closes_at": utc_now() + timedelta(days=1),
        "shard_seeds": 1,
        "quota_per_day": 1000,
        "seed_timeout_s": 60.0,
        "memory_bytes": 2**30,
        "device": Device.CPU,
        "metric": "neurips-2023",
        "max_time_ratio": 0.2,
        "data_hidden": True,
    }
    phase = Phase(competition=competition, benchmark=benchmark, **values | changes)
    session.add(phase)
    session.flush()
    return phase


def stand_in_benchmark() -> BenchmarkRow:
    """Describe a benchmark on which nothing runs."""
    return BenchmarkRow(digest="d" * 64, name="bench", manifest={"oracle_seeds": 512}, manifest_blob="0" * 64)
