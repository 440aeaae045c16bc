"""The worker: answers the doorbell by claiming shards until none is left, and runs each in a slot."""

import queue
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import structlog
from sqlalchemy.exc import OperationalError

from services.core.bundle.directory import Bundle
from services.core.models import FailureKind
from services.core.queue import leases
from services.core.queue.doorbell import Bell, Doorbell
from services.core.queue.leases import Lease, LeaseLost, Offer
from services.core.settings import Settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database, WriteSession
from services.worker.backends import make_sandbox, worker_name
from services.worker.failures import RunFailed
from services.worker.measuring import MeasurerProcess
from services.worker.notebooks import NotebookLimits, NotebookRun, disk_needed, run_notebook
from services.worker.shard import Renewal, ShardWork, prepare, record
from services.worker.slots import Slot, make_slots, stage_code, worker_lock
from services.worker.supervisor import Stopped, run_seeds

__all__ = ["Worker", "run_worker"]

log = structlog.get_logger()
MIN_FREE_BYTES = 1024**3


class Worker:
    """Slots, a sandbox backend, and the loop that serves shards."""

    def __init__(self, settings: Settings, work: Path) -> None:
        self.settings = settings
        self.database = Database(settings.resolved_database_url)
        self.blobs = Blobs.from_settings(settings)
        self.doorbell = Doorbell(settings)
        self.name = worker_name(work)
        self.stopping = threading.Event()
        self._work = work
        self._sandbox = make_sandbox(settings, work, stage_code(work))
        self._measurers: dict[int, MeasurerProcess] = {}
        self._live: set[str] = set()
        self.slots = make_slots(settings, work)
        self._one_notebook = threading.Lock()
        self._free: dict[str, queue.Queue[Slot]] = {slot.device_class: queue.Queue() for slot in self.slots}
        for slot in self.slots:
            self._free[slot.device_class].put(slot)
        self._sandbox.end_orphans(set())

    def serve(self) -> int:
        """Take a slot and run shards until none is claimable; return how many ran. Zero when every slot is busy."""
        return sum(self._serve(free) for free in self._free.values())

    def sweep(self) -> None:
        """Put expired shards back, end orphaned sandboxes, and ring when there is something to claim."""
        with self.database.write() as session:
            expired = leases.sweep(session)
        if expired:
            log.warning("leases_expired", shards=expired)
        self._sandbox.end_orphans(self._live | {f"measurer-{slot.number}" for slot in self.slots})
        if self._something_waits():
            self.doorbell.ring(Bell.RUN)

    def close(self) -> None:
        """End every sandbox of this worker."""
        for measurer in self._measurers.values():
            measurer.end()
        self._sandbox.end_orphans(set())
        self._sandbox.close()
        self.database.dispose()

    def _serve(self, free: "queue.Queue[Slot]") -> int:
        ran = 0
        with _taken(free) as slot:
            while slot and not self.stopping.is_set() and (held := self._claim(slot)):
                self._run(slot, held)
                ran += 1
        return ran

    def _something_waits(self) -> bool:
        """Whether a shard is claimable by a kind of slot that has a free one."""
        one_of_each = {slot.device_class: slot for slot in self.slots if not self._free[slot.device_class].empty()}
        with self.database.read() as session:
            return any(leases.claimable(session, self._offer(slot)) for slot in one_of_each.values())

    def _offer(self, slot: Slot) -> Offer:
        return Offer(self.name, slot.device, slot.device_class, slot.memory_bytes)

    def _claim(self, slot: Slot) -> Lease | None:
        free = shutil.disk_usage(self._work).free
        if free < MIN_FREE_BYTES:
            log.error("disk_full", free_bytes=free, needed_bytes=MIN_FREE_BYTES, directory=str(self._work))
            return None
        with self.database.write() as session:
            return leases.claim(session, self._offer(slot), self.settings.lease_s)

    def _run(self, slot: Slot, held: Lease) -> None:
        """Run one claimed shard to its end, whatever that is."""
        shard_log = log.bind(evaluation=str(held.evaluation_id), shard=str(held.shard_id), attempt=held.attempt)
        shard_log.info("shard_started", slot=slot.number)
        try:
            with Renewal(self.database, held, self.settings, self.stopping) as renewal:
                self._measure(slot, held, renewal)
            self._finish(held)
            shard_log.info("shard_finished")
        except LeaseLost:
            shard_log.info("lease_lost")
        except Stopped:
            shard_log.info("shard_stopped")
            self._write_unless_lost(held, lambda session: leases.release(session, held))
        except RunFailed as failure:
            shard_log.info("shard_failed", kind=failure.kind.value, message=failure.message)
            self._fail(slot, held, failure.kind, failure.message)
        except Exception as error:
            shard_log.exception("shard_broke")
            self._fail(slot, held, FailureKind.PLATFORM, f"{type(error).__name__} on worker {self.name}.")

    def _measure(self, slot: Slot, held: Lease, renewal: Renewal) -> None:
        work = prepare(self.database, self.blobs, held, slot, self.settings.bundle_cache)
        lease = f"{held.shard_id}-{held.fence}"
        self._live.add(lease)
        try:
            if work.notebook is not None:
                self._run_notebook(slot, held, work, work.notebook, renewal)
                return
            results = run_seeds(
                self._sandbox,
                slot,
                work.bundle,
                measurer=self._measurer(slot, work.bundle),
                seeds=work.seeds,
                limits=work.limits,
                lease=lease,
                stopped=renewal.stopped,
                on_printed=lambda text: self._keep_log(held, work, text),
            )
            record(self.database, self.blobs, held, results, patience_s=self.settings.lease_s)
            self._describe(held, self._sandbox.provenance())
        finally:
            self._live.discard(lease)

    def _run_notebook(self, slot: Slot, held: Lease, work: ShardWork, limits: NotebookLimits, renewal: Renewal) -> None:
        """Run a notebook, one at a time on this worker: each reserves the disk for all its checkpoints."""
        run = NotebookRun()
        with self._one_notebook:
            self._require_disk(disk_needed(work.bundle, limits))
            readings = run_notebook(
                self._sandbox,
                slot,
                work.bundle,
                run,
                limits=limits,
                measurer=lambda: self._measurer(slot, work.bundle),
                cache=self.settings.bundle_cache,
                lease=f"{held.shard_id}-{held.fence}",
                stopped=renewal.stopped,
                on_written=lambda checkpoints: self._note_written(held, limits, checkpoints),
            )
            try:
                with closing(readings):
                    record(self.database, self.blobs, held, readings, patience_s=self.settings.lease_s)
            finally:
                executed = None if run.executed is None else self.blobs.put(run.executed)
                provenance = self._sandbox.provenance() | {
                    "independence": "not enforced",
                    "cuda": limits.cuda_in(slot),
                }
                self._describe(held, provenance, executed)

    def _note_written(self, held: Lease, limits: NotebookLimits, checkpoints: int) -> None:
        """Tell how far a notebook is. A database that is away for a moment is no reason to end it.

        Never where data are hidden: the notebook chooses when to write each, and could spell the data out so.
        """
        if limits.data_hidden:
            return
        with suppress(OperationalError):
            self._write_unless_lost(held, lambda session: leases.note_written(session, held, checkpoints))

    def _require_disk(self, needed: int) -> None:
        free = shutil.disk_usage(self._work).free
        if free < needed + MIN_FREE_BYTES:
            raise RunFailed(
                FailureKind.PLATFORM,
                f"A notebook of this phase may need {needed / 1e9:.0f} GB of disk, and {free / 1e9:.0f} GB are free.",
            )

    def _describe(self, held: Lease, provenance: dict[str, str], executed: str | None = None) -> None:
        self._write_unless_lost(held, lambda session: leases.describe(session, held, provenance, executed))

    def _keep_log(self, held: Lease, work: ShardWork, text: str) -> None:
        """Keep what the runs printed, unless it may carry hidden data out."""
        if text.strip() and not work.limits.data_hidden:
            blob = self.blobs.put(text.encode())
            self._write_unless_lost(held, lambda session: leases.keep_log(session, held, blob))

    def _measurer(self, slot: Slot, bundle: Bundle) -> MeasurerProcess:
        """Keep one measurer per slot warm, for as long as the benchmark stays the same."""
        current = self._measurers.get(slot.number)
        if current is not None and current.digest == bundle.manifest.digest:
            return current
        self._drop_measurer(slot)
        self._measurers[slot.number] = MeasurerProcess(self._sandbox, slot, bundle)
        return self._measurers[slot.number]

    def _drop_measurer(self, slot: Slot) -> None:
        measurer = self._measurers.pop(slot.number, None)
        if measurer is not None:
            measurer.end()

    def _finish(self, held: Lease) -> None:
        with self.database.write() as session:
            last = leases.finish(session, held)
        if last:
            self.doorbell.ring_across(Bell.SCORE)

    def _fail(self, slot: Slot, held: Lease, kind: FailureKind, message: str) -> None:
        if kind is FailureKind.PLATFORM:
            self._drop_measurer(slot)  # it may be what broke; a fresh one costs seconds
        self._write_unless_lost(held, lambda session: leases.fail_claim(session, held, kind, message))

    def _write_unless_lost(self, held: Lease, write: Callable[[WriteSession], None]) -> None:
        try:
            with self.database.write() as session:
                write(session)
        except LeaseLost:
            log.info("lease_lost", shard=str(held.shard_id))


@contextmanager
def _taken(free: "queue.Queue[Slot]") -> Iterator[Slot | None]:
    """Hold a free slot for as long as the block lasts; None when there is none."""
    try:
        slot = free.get_nowait()
    except queue.Empty:
        yield None
        return
    try:
        yield slot
    finally:
        free.put(slot)


def run_worker(settings: Settings) -> None:
    """Serve shards until asked to stop (SIGTERM or SIGINT)."""
    work = (settings.data_dir / "work").resolve()
    with worker_lock(work):
        worker = Worker(settings, work)
        log.info("worker_ready", name=worker.name, slots=len(worker.slots), sandbox=settings.resolved_sandbox.value)
        try:
            worker.doorbell.answer(
                Bell.RUN,
                look=worker.serve,
                sweep=worker.sweep,
                sweep_every_s=settings.resolved_sweep_every_s,
                threads=len(worker.slots),
                stopping=worker.stopping,
            )
        finally:
            worker.close()
