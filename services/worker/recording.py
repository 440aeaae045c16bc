"""Recording the measurements of a shard's runs as they come, under its lease."""

import time
from collections.abc import Iterator

import structlog
from sqlalchemy.exc import OperationalError

from services.core.bundle.packing import own_placebo_reading, own_reading, own_stress_reading
from services.core.queue import leases
from services.core.queue.leases import Lease, MeasuredSeed
from services.core.store.blobs import Blobs
from services.core.store.database import Database
from services.worker.station import SeedResult, Stopped

__all__ = ["record"]

log = structlog.get_logger()
FLUSH_EVERY_S = 0.5
ASK_AGAIN_S = 0.5


def record(database: Database, blobs: Blobs, lease: Lease, results: Iterator[SeedResult], *, patience_s: float) -> None:
    """Write measurements in batches, because a commit for every seed would be slow.

    If the database is unreachable, try again for up to `patience_s`, so that no measurement is lost.
    """
    batch: list[MeasuredSeed] = []
    flushed = time.monotonic()
    try:
        for result in results:
            batch.append(_stored(blobs, lease, result))
            if time.monotonic() - flushed > FLUSH_EVERY_S:
                _flush(database, lease, batch, patience_s)
                flushed = time.monotonic()
    except Stopped:
        _flush(database, lease, batch, patience_s)
        raise
    _flush(database, lease, batch, patience_s)


def _stored(blobs: Blobs, lease: Lease, result: SeedResult) -> MeasuredSeed:
    """Store a run's readings under names that no other run shares."""
    blob = blobs.put(own_reading(result.blob, lease.evaluation_id, result.index))
    stress = None
    if result.stress:
        stress = blobs.put(own_stress_reading(result.stress, lease.evaluation_id, result.index))
    placebo = None
    if result.placebo:
        placebo = blobs.put(own_placebo_reading(result.placebo, lease.evaluation_id, result.index))
    trainer, empty = result.trainer, result.empty
    return MeasuredSeed(
        result.index,
        blob,
        result.checkpoint_sha256,
        result.run_s,
        result.peak_memory_bytes,
        stress_blob=stress,
        placebo_blob=placebo,
        cpu_s=result.cpu_s,
        trainer_s=None if trainer is None else trainer.run_s,
        trainer_cpu_s=None if trainer is None else trainer.cpu_s,
        empty_s=None if empty is None else empty.run_s,
        empty_cpu_s=None if empty is None else empty.cpu_s,
    )


def _flush(database: Database, lease: Lease, batch: list[MeasuredSeed], patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while batch:
        try:
            with database.write() as session:
                leases.record(session, lease, batch)
            batch.clear()
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            log.warning("database_away", shard=str(lease.shard_id))
            time.sleep(ASK_AGAIN_S)
