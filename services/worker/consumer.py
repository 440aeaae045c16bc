"""The worker: answers the doorbell by claiming shards until none is left, and attempts each in a slot."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from services.core.environments import default_for
from services.core.queue import leases
from services.core.queue.doorbell import Bell
from services.core.queue.leases import Lease, WorkerOffer
from services.core.settings import Settings
from services.worker.attempt import Attempt
from services.worker.environments import environments_here, tell_own
from services.worker.heartbeat import Heartbeat
from services.worker.resources import Resources
from services.worker.selftest import try_sandbox
from services.worker.slots import Slot, make_slots, worker_lock

__all__ = ["Worker", "run_worker"]

log = structlog.get_logger()


class Worker:
    """Slots, and the loop that serves shards in them."""

    def __init__(self, settings: Settings, work: Path) -> None:
        self.resources = Resources.open(settings, work)
        self.slots = make_slots(settings, work)
        self._live: set[str] = set()  # labels of the sandboxes of attempts
        self._free: dict[str, queue.Queue[Slot]] = {slot.device_class: queue.Queue() for slot in self.slots}
        for slot in self.slots:
            self._free[slot.device_class].put(slot)
        self.resources.sandbox.end_orphans(set())
        isolates = self.resources.sandbox.has_file_system
        self_test = try_sandbox(self.resources.sandbox, self.slots[0]) if isolates else None
        self._environments = frozenset(default_for(slot.device) for slot in self.slots)
        self._told_own = False
        self.heartbeat = Heartbeat(self.resources, self.slots, self_test)

    def serve(self) -> int:
        """Take a slot and run shards until none is claimable; return how many ran, 0 if every slot is busy."""
        return sum(self._serve(free) for free in self._free.values())

    def sweep(self) -> None:
        """Put expired shards back, end orphaned sandboxes, ring if a shard can be claimed, and tell that we live."""
        with self.resources.database.write() as session:
            expired = leases.sweep(session, self.resources.settings.lease_s)
        if expired:
            log.warning("leases_expired", shards=expired)
        self.resources.sandbox.end_orphans(self._live | {f"measurer-{slot.number}" for slot in self.slots})
        if self.heartbeat.is_due:
            self._look_for_environments()
        if self._something_waits():
            self.resources.doorbell.ring(Bell.RUN)
        self.heartbeat.beat(busy=len(self._live), environments=self._environments)

    def _serve(self, free: "queue.Queue[Slot]") -> int:
        ran = 0
        with _taken(free) as slot:
            while slot and not self.resources.stopping.is_set() and (lease := self._claim(slot)):
                self._attempt(slot, lease)
                ran += 1
        return ran

    def _attempt(self, slot: Slot, lease: Lease) -> None:
        self._live.add(lease.label)
        try:
            Attempt(self.resources, slot, lease).carry_through()
        finally:
            self._live.discard(lease.label)

    def _something_waits(self) -> bool:
        """Tell whether any free slot could claim a shard."""
        one_of_each = {slot.device_class: slot for slot in self.slots if not self._free[slot.device_class].empty()}
        with self.resources.database.read() as session:
            return any(leases.claimable(session, self._offer(slot)) for slot in one_of_each.values())

    def _look_for_environments(self) -> None:
        """Tell what our own image holds, once, and see which others the engine has."""
        shared = self.resources
        own = {default_for(slot.device): slot for slot in self.slots}
        if not self._told_own:
            for slot in own.values():
                tell_own(shared.database, shared.sandbox, slot)
            self._told_own = True
        with shared.database.read() as session:
            self._environments = environments_here(session, shared.sandbox, own.keys())

    def _offer(self, slot: Slot) -> WorkerOffer:
        # Everything runs on one Python in the process sandbox, which is for the operator's own code.
        offered = self._environments if self.resources.sandbox.has_file_system else None
        return WorkerOffer(self.resources.worker, slot.device, slot.device_class, slot.memory_bytes, offered)

    def _claim(self, slot: Slot) -> Lease | None:
        shared = self.resources
        if not shared.can_run():
            return None
        with shared.database.write() as session:
            return leases.claim(session, self._offer(slot), shared.settings.lease_s)


@contextmanager
def _taken(free: "queue.Queue[Slot]") -> Iterator[Slot | None]:
    """Hold a free slot while the block lasts; None if every slot is busy."""
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
    work = (settings.make_data_dir() / "work").resolve()
    with worker_lock(work):
        worker = Worker(settings, work)
        shared = worker.resources
        log.info("worker_ready", name=shared.worker, slots=len(worker.slots), sandbox=settings.resolved_sandbox.value)
        try:
            shared.doorbell.answer(
                Bell.RUN,
                look=worker.serve,
                sweep=worker.sweep,
                sweep_every_s=settings.resolved_sweep_every_s,
                threads=len(worker.slots),
                stopping=shared.stopping,
            )
            worker.heartbeat.stop()
        finally:
            shared.close()
