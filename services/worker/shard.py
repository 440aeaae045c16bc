"""One claimed shard, from its benchmark and code to its recorded measurements."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from services.core.bundle.directory import Bundle
from services.core.bundle.store import materialise
from services.core.models import Evaluation, MeasurementRow, SubmissionKind
from services.core.queue import leases
from services.core.queue.leases import Lease, LeaseLost, MeasuredSeed
from services.core.queue.lifecycle import submissions_of
from services.core.settings import Settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database
from services.core.submission.file import unpack
from services.worker.notebooks import NotebookLimits
from services.worker.seeds import derive_seeds
from services.worker.slots import Slot
from services.worker.supervisor import RunLimits, Seed, SeedResult, Stopped

__all__ = ["Renewal", "ShardWork", "prepare", "record"]

log = structlog.get_logger()
FLUSH_EVERY_S = 0.5
ASK_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class ShardWork:
    """What a shard still has to run: its seeds, or a whole notebook."""

    bundle: Bundle
    limits: RunLimits
    seeds: list[Seed]
    notebook: NotebookLimits | None = None


def prepare(database: Database, blobs: Blobs, held: Lease, slot: Slot, benchmarks: Path) -> ShardWork:
    """Fetch the benchmark, lay the code into the slot, and list the seeds that have no measurement yet.

    A notebook runs as a whole, so how far an earlier try of it came is forgotten.
    """
    with database.read() as session:
        evaluation = session.get_one(Evaluation, held.evaluation_id)
        phase = evaluation.phase
        bundle = materialise(session, blobs, evaluation.benchmark.digest, benchmarks)
        submission = session.scalars(submissions_of(evaluation).limit(1)).one()
        measured = select(MeasurementRow.seed).where(MeasurementRow.evaluation_id == evaluation.id)
        done = set(session.scalars(measured))
        limits = RunLimits(evaluation.seeds, phase.seed_timeout_s, phase.memory_bytes, phase.data_hidden)
        key = evaluation.seed_key
        notebook = None
        if submission.kind is SubmissionKind.NOTEBOOK:
            notebook = NotebookLimits(
                seeds=evaluation.seeds,
                timeout_s=phase.notebook_timeout_s,
                memory_bytes=phase.memory_bytes,
                data_hidden=phase.data_hidden and not evaluation.dry_run,
                dry=evaluation.dry_run,
                cuda_stand_in=phase.cuda_stand_in,
                take_first=phase.take_first,
            )
    if notebook is not None:
        with database.write() as session:
            leases.discard(session, held)
    slot.clear()
    unpack(submission.filename, blobs.get(submission.blob), slot.submission)
    missing = [seed for seed in range(held.seed_start, held.seed_stop) if seed not in done]
    return ShardWork(bundle, limits, derive_seeds(key, missing), notebook)


def record(database: Database, blobs: Blobs, held: Lease, results: Iterator[SeedResult], *, patience_s: float) -> None:
    """Write measurements in batches, so that a database commit is not the price of every seed.

    A database that is away for a moment costs nothing that was measured: it is asked again for `patience_s`.
    """
    batch: list[MeasuredSeed] = []
    flushed = time.monotonic()
    try:
        for result in results:
            blob = blobs.put(result.blob)
            batch.append(
                MeasuredSeed(result.index, blob, result.checkpoint_sha256, result.run_s, result.peak_memory_bytes)
            )
            if time.monotonic() - flushed > FLUSH_EVERY_S:
                _flush(database, held, batch, patience_s)
                flushed = time.monotonic()
    except Stopped:
        _flush(database, held, batch, patience_s)
        raise
    _flush(database, held, batch, patience_s)


def _flush(database: Database, held: Lease, batch: list[MeasuredSeed], patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while batch:
        try:
            with database.write() as session:
                leases.record(session, held, batch)
            batch.clear()
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            log.warning("database_away", shard=str(held.shard_id))
            time.sleep(ASK_AGAIN_S)


class Renewal:
    """Renews a lease from a thread of its own until the block ends; `stopped` turns true when it is lost."""

    def __init__(self, database: Database, held: Lease, settings: Settings, stopping: threading.Event) -> None:
        self._database = database
        self._held = held
        self._settings = settings
        self._stopping = stopping
        self._ended = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    @property
    def stopped(self) -> Callable[[], bool]:
        return lambda: self._lost.is_set() or self._stopping.is_set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _renew(self) -> None:
        renewed = time.monotonic()
        while not self._ended.wait(self._settings.renew_every_s):
            try:
                with self._database.write() as session:
                    leases.renew(session, self._held, self._settings.lease_s)
                renewed = time.monotonic()
            except LeaseLost:
                self._lost.set()
                return
            except Exception:
                log.exception("renewal_failed", shard=str(self._held.shard_id))
                if time.monotonic() - renewed > self._settings.lease_s:
                    self._lost.set()
                    return
