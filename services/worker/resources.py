"""The resources that all attempts of one worker share: stores, sandbox backend, warm measurers and disk."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import structlog

from services.core.models import FailureKind
from services.core.queue.doorbell import Doorbell
from services.core.settings import Settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database
from services.worker.backends import make_sandbox, worker_name
from services.worker.failures import RunFailed
from services.worker.measurers import Measurers
from services.worker.sandbox.base import Sandbox
from services.worker.slots import stage_code

__all__ = ["MIN_FREE_BYTES", "Resources"]

log = structlog.get_logger()

MIN_FREE_BYTES = 1024**3


@dataclass(frozen=True, slots=True)
class Resources:
    """The shared resources, which a worker opens once."""

    settings: Settings
    work: Path  # the worker's directory
    worker: str  # its name
    database: Database
    blobs: Blobs
    doorbell: Doorbell
    sandbox: Sandbox
    measurers: Measurers
    stopping: threading.Event = field(default_factory=threading.Event)
    _one_reserves: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, settings: Settings, work: Path) -> Self:
        """Open everything that a worker in the directory `work` needs. Raises SandboxUnavailable."""
        sandbox = make_sandbox(settings, work, stage_code(work))
        return cls(
            settings=settings,
            work=work,
            worker=worker_name(work),
            database=Database(settings.resolved_database_url),
            blobs=Blobs.from_settings(settings),
            doorbell=Doorbell(settings),
            sandbox=sandbox,
            measurers=Measurers(sandbox),
        )

    def close(self) -> None:
        """End every sandbox of the worker."""
        self.measurers.close()
        self.sandbox.end_orphans(set())
        self.sandbox.close()
        self.database.dispose()

    def can_run(self) -> bool:
        """Tell whether a run could succeed here at the moment; if not, say in the log what is missing."""
        free = self.free_bytes()
        if free < MIN_FREE_BYTES:
            log.error("disk_full", free_bytes=free, needed_bytes=MIN_FREE_BYTES, directory=str(self.work))
            return False
        if not self.sandbox.answers():
            log.error("engine_away", remedy="Start Docker; the worker then goes on.")
            return False
        return True

    def free_bytes(self) -> int:
        """Measure how much disk is free."""
        return shutil.disk_usage(self.work).free

    @contextmanager
    def reserved(self, needed_bytes: int) -> Iterator[None]:
        """Reserve disk while the block lasts, for one run at a time; 0 reserves none. Raises RunFailed."""
        if not needed_bytes:
            yield
            return
        with self._one_reserves:
            free = self.free_bytes()
            if free < needed_bytes + MIN_FREE_BYTES:
                raise RunFailed(
                    FailureKind.PLATFORM,
                    f"A notebook of this phase may need {needed_bytes / 1e9:.0f} GB of disk, but only "
                    f"{free / 1e9:.0f} GB are free.",
                )
            yield
