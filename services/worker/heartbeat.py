"""The worker's heartbeat: a row that describes it to operators, and a file for the health check of its container."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.core import heartbeat
from services.core.distribution import installed_version
from services.core.models import WorkerRow
from services.core.models.stored import SelfTestForm
from services.core.queue import workers
from services.core.store.database import utc_now
from services.worker.resources import Resources
from services.worker.slots import Slot

__all__ = ["Heartbeat"]

BEAT_EVERY_S = 3.0


@dataclass(slots=True)
class Heartbeat:
    """Tells that the worker's loop moves. A worker that hangs, dies or loses its database falls silent."""

    resources: Resources
    slots: Sequence[Slot]
    self_test: SelfTestForm | None = None
    started_at: datetime = field(default_factory=utc_now)
    _beaten: float | None = None

    @property
    def is_due(self) -> bool:
        """Tell whether it is time to write again."""
        return self._beaten is None or time.monotonic() - self._beaten >= BEAT_EVERY_S

    def beat(self, *, busy: int, environments: Collection[str] = ()) -> None:
        """Write row and file, but not more often than every few seconds."""
        if not self.is_due:
            return
        with self.resources.database.write() as session:
            workers.report(session, self._row(busy, environments))
        heartbeat.beat(self.resources.settings, "worker")
        self._beaten = time.monotonic()

    def stop(self) -> None:
        """Take the worker off the list, because it stops as asked."""
        with self.resources.database.write() as session:
            workers.leave(session, self.resources.worker)
        heartbeat.stop(self.resources.settings, "worker")

    def _row(self, busy: int, environments: Collection[str]) -> WorkerRow:
        settings = self.resources.settings
        kind = settings.resolved_sandbox.value
        return WorkerRow(
            name=self.resources.worker,
            slots=len(self.slots),
            slots_busy=busy,
            device_classes=sorted({slot.device_class for slot in self.slots}),
            sandbox=f"{kind} ({settings.sandbox_runtime})" if settings.sandbox_runtime else kind,
            environments=sorted(environments),
            version=installed_version(),
            free_disk_bytes=self.resources.free_bytes(),
            self_test=self.self_test,
            started_at=self.started_at,
        )
