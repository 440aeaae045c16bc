"""Renewing the lease of an attempt while it runs."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import structlog

from services.core.queue import leases
from services.core.queue.leases import Lease, LeaseLost
from services.core.settings import Settings
from services.core.store.database import Database

__all__ = ["Renewal"]

log = structlog.get_logger()


class Renewal:
    """Renews a lease from a separate thread until the block ends."""

    def __init__(self, database: Database, lease: Lease, settings: Settings, stopping: threading.Event) -> None:
        self._database = database
        self._lease = lease
        self._settings = settings
        self._stopping = stopping
        self._ended = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    @property
    def stopped(self) -> Callable[[], bool]:
        """Return a function that tells whether the run must stop: the lease is lost, or the worker ends."""
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
                    leases.renew(session, self._lease, self._settings.lease_s)
                renewed = time.monotonic()
            except LeaseLost:
                self._lost.set()
                return
            except Exception:
                log.exception("renewal_failed", shard=str(self._lease.shard_id))
                if time.monotonic() - renewed > self._settings.lease_s:
                    self._lost.set()
                    return
