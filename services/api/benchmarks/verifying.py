"""The verifier: it checks uploads that are complete, and publishes those that were consented to, beside the requests.

A row is the whole order: see `api.kit.holding`. What is done with an archive stands in `unpacking.py`.
"""

import shutil
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from services.api.benchmarks.clearing import remove_parts, tidy
from services.api.benchmarks.moves import BUSY, end
from services.api.kit.holding import Hold, HoldLost, Orders
from services.core.directories import private_directory
from services.core.errors import LetheError
from services.core.models import BenchmarkUpload, BenchmarkUploadState
from services.core.settings import Settings
from services.core.store.blobs import Blobs, BlobsUnavailable
from services.core.store.database import Database, WriteSession
from services.core.store.parts import PartStore
from services.core.store.room import NoRoom

__all__ = ["Verifier"]

log = structlog.get_logger()

AGAIN = timedelta(minutes=1)  # after something that is ours to mend: a full disk, a store that does not answer
TIDY_EVERY_S = 600.0


class Verifier:
    """Checks and publishes uploads until it is closed."""

    def __init__(self, settings: Settings, database: Database, blobs: Blobs) -> None:
        self._settings, self._database, self._blobs = settings, database, blobs
        self._parts = PartStore(blobs)
        self._work = settings.data_dir.resolve() / "cache" / "uploads"
        self._orders = Orders(database, BenchmarkUpload, BenchmarkUpload.moved_at, BenchmarkUpload.state, BUSY, _refuse)
        self._tidy_at = 0.0

    def close(self) -> None:
        """Leave what is being checked; another process, or the next start, begins it anew."""
        self._orders.closing.set()

    def step(self) -> bool:
        """Check or publish one upload, or remove the parts of one that has ended; tell whether there was one."""
        if time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + TIDY_EVERY_S
            tidy(self._database, self._work)
        if remove_parts(self._database, self._parts):
            return True
        hold = self._orders.take()
        if hold is None:
            return False
        try:
            with self._place(hold.id) as place:
                self._work_on(hold, place)
        except HoldLost:
            hold.give_back(checked_bytes=0, reason=None)
        except (NoRoom, BlobsUnavailable) as error:
            hold.give_back(pause=AGAIN, checked_bytes=0, reason=error.message)
        except LetheError as error:
            hold.fail(error.message)
        return True

    def _work_on(self, hold: Hold[BenchmarkUpload], place: Path) -> None:
        # Here, because numpy, which reads benchmarks, is memory that an API process seldom needs.
        from services.api.benchmarks.unpacking import Work

        with self._database.read() as session:
            state = session.get_one(BenchmarkUpload, hold.id).state
        work = Work(self._database, self._blobs, self._parts, hold, place)
        (work.verify if state is BenchmarkUploadState.VERIFYING else work.publish)()

    @contextmanager
    def _place(self, upload: UUID) -> Any:
        place = private_directory(self._work) / str(upload)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _refuse(session: WriteSession, row: BenchmarkUpload, reason: str) -> None:
    log.warning("upload_refused", upload=str(row.id), reason=reason)
    end(session, row, reason)
