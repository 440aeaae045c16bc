"""One attempt: it carries a claim from benchmark and code to recorded measurements, and then ends the claim."""

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import OperationalError

from services.core.models import FailureKind
from services.core.queue import leases, notes
from services.core.queue.doorbell import Bell
from services.core.queue.leases import Lease, LeaseLost
from services.core.store.blobs import BlobsUnavailable
from services.core.store.database import WriteSession
from services.worker.canary import blamed
from services.worker.failures import RunFailed
from services.worker.kinds import Kind
from services.worker.recording import record
from services.worker.renewal import Renewal
from services.worker.resources import Resources
from services.worker.sandbox.base import SandboxUnavailable
from services.worker.shard import prepare
from services.worker.slots import Slot
from services.worker.station import Station, Stopped, Traces

__all__ = ["Attempt"]

log = structlog.get_logger()

OUTAGES = (SandboxUnavailable, BlobsUnavailable, OperationalError)  # never an entry's fault


@dataclass(frozen=True, slots=True)
class Attempt:
    """The work of one lease, in one slot."""

    resources: Resources
    slot: Slot
    lease: Lease

    def carry_through(self) -> None:
        """Run the shard until it is finished, failed, given back, or lost to another worker."""
        lease = self.lease
        shard_log = log.bind(evaluation=str(lease.evaluation_id), shard=str(lease.shard_id), attempt=lease.attempt)
        shard_log.info("shard_started", slot=self.slot.number)
        try:
            self._measure()
            self._finish()
            shard_log.info("shard_finished")
        except LeaseLost:
            shard_log.info("lease_lost")
        except Stopped:
            shard_log.info("shard_stopped")
            self._write_unless_lost(lambda session: leases.release(session, lease))
        except RunFailed as failure:
            shard_log.info("shard_failed", kind=failure.kind.value, message=failure.message)
            self._fail(failure.kind, failure.message)
        except OUTAGES:
            shard_log.exception("place_broke")
            self._give_back()
        except Exception:
            shard_log.exception("shard_broke")
            self._fail(FailureKind.PLATFORM, "The run broke on our side.")

    def _measure(self) -> None:
        shared = self.resources
        with Renewal(shared.database, self.lease, shared.settings, shared.stopping) as renewal:
            bundle, kind, place = prepare(
                shared.database, shared.blobs, self.lease, self.slot, shared.settings.bundle_cache
            )
            station = Station(
                shared.sandbox,
                shared.measurers,
                self.slot,
                bundle,
                label=self.lease.label,
                stopped=renewal.stopped,
                place=place,
            )
            with shared.reserved(kind.disk_bytes(station)), blamed(station, self.lease):
                self._run(kind, station)

    def _run(self, kind: Kind, station: Station) -> None:
        """Record every reading as it comes; keep printed output and provenance, however the run ends."""
        shared, recorded = self.resources, False
        traces = Traces(on_written=lambda checkpoints: self._note_written(kind, checkpoints))
        try:
            with closing(kind.run(station, traces)) as results:
                record(shared.database, shared.blobs, self.lease, results, patience_s=shared.settings.lease_s)
            recorded = True
        finally:
            self._keep_log(kind, traces.printed)
            if recorded or kind.whole:
                self._describe(kind.provenance(station), traces.executed)

    def _note_written(self, kind: Kind, checkpoints: int) -> None:
        """Note how many checkpoints a notebook has written. If the database is briefly unreachable, the run goes on.

        If data are hidden, note nothing: a notebook could leak them through the timing of checkpoint writes.
        """
        if not kind.data_hidden:
            with suppress(OperationalError):
                self._write_unless_lost(lambda session: notes.note_written(session, self.lease, checkpoints))

    def _keep_log(self, kind: Kind, printed: str) -> None:
        """Keep the printed output of the runs, unless it could leak hidden data."""
        if printed.strip() and not kind.data_hidden:
            blob = self.resources.blobs.put(printed.encode())
            self._write_unless_lost(lambda session: notes.keep_log(session, self.lease, blob))
            self.resources.blobs.keep(blob, printed.encode())

    def _describe(self, provenance: dict[str, str], executed: bytes | None) -> None:
        blob = None if executed is None else self.resources.blobs.put(executed)
        self._write_unless_lost(lambda session: notes.describe(session, self.lease, provenance, blob))
        if blob is not None and executed is not None:
            self.resources.blobs.keep(blob, executed)

    def _finish(self) -> None:
        with self.resources.database.write() as session:
            last = leases.finish(session, self.lease)
        if last:
            self.resources.doorbell.ring_across(Bell.SCORE)

    def _fail(self, failure: FailureKind, message: str) -> None:
        if failure is FailureKind.PLATFORM:
            self.resources.measurers.drop(self.slot)  # it may be at fault; a fresh one costs seconds
            if not self.resources.can_run():
                self._give_back()
                return
        self._write_unless_lost(lambda session: leases.fail_claim(session, self.lease, failure, message))

    def _give_back(self) -> None:
        """Put the shard back without the loss of an attempt: this place cannot run any entry at the moment."""
        self._write_unless_lost(lambda session: leases.release(session, self.lease, after_s=leases.RETRY_AFTER_S))

    def _write_unless_lost(self, write: Callable[[WriteSession], None]) -> None:
        try:
            with self.resources.database.write() as session:
                write(session)
        except LeaseLost:
            log.info("lease_lost", shard=str(self.lease.shard_id))
