"""Which workers are alive: each reports at every sweep, and is gone if it has not reported for a minute."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from services.core.models import Device, WorkerRow
from services.core.store.database import ReadSession, WriteSession, utc_now

__all__ = ["FORGOTTEN_AFTER", "GONE_AFTER", "all_workers", "is_gone", "leave", "report", "serves", "serving"]

GONE_AFTER = timedelta(seconds=60)
FORGOTTEN_AFTER = timedelta(days=1)  # how long a gone worker is still shown


def report(session: WriteSession, worker: WorkerRow) -> None:
    """Write a worker's description of itself, seen now, and forget workers that have long been gone."""
    worker.seen_at = utc_now()
    session.merge(worker)
    session.execute(delete(WorkerRow).where(WorkerRow.seen_at < worker.seen_at - FORGOTTEN_AFTER))


def leave(session: WriteSession, name: str) -> None:
    """Remove a worker that stops as asked."""
    session.execute(delete(WorkerRow).where(WorkerRow.name == name))


def all_workers(session: ReadSession) -> list[WorkerRow]:
    """List all workers by name, also those that are gone."""
    return list(session.scalars(select(WorkerRow).order_by(WorkerRow.name)))


def is_gone(worker: WorkerRow, now: datetime | None = None) -> bool:
    """Tell whether a worker has not reported for so long that it must have died, hung or lost the database."""
    return worker.seen_at < (now or utc_now()) - GONE_AFTER


def serving(session: ReadSession, device: Device, environment: str) -> list[WorkerRow]:
    """List the workers that are alive, have slots for a device, and can run an environment."""
    return [worker for worker in all_workers(session) if not is_gone(worker) and serves(worker, device, environment)]


def serves(worker: WorkerRow, device: Device, environment: str) -> bool:
    """Tell whether a worker has slots for a device and can run an environment.

    The process sandbox runs everything on one Python; any other needs the environment's image.
    """
    wants_cpu = device is Device.CPU
    has_slots = any(name.startswith("cpu") == wants_cpu for name in worker.device_classes)
    return has_slots and (worker.sandbox == "process" or environment in worker.environments)
