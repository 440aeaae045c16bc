"""The freezer: it writes the archives that organisers asked for, one at a time, beside the requests of an API process.

A row is the whole order (see `api.kit.holding`). An archive is kept for some days, because it names people who may want
to be forgotten.
"""

import time
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from sqlalchemy import exists, select, update

from services.api.frozen.freezing import freeze
from services.api.kit.holding import Hold, HoldLost, Orders
from services.core.errors import LetheError
from services.core.models import Competition, Freeze, FreezeState
from services.core.store.blobs import Blobs
from services.core.store.database import Database, WriteSession, clock

__all__ = ["KEPT", "Freezer"]

log = structlog.get_logger()

KEPT = timedelta(days=7)
WAIT_FOR_BOARDS_S = 2.0
TIDY_EVERY_S = 600.0


class Freezer:
    """Writes archives until it is closed."""

    def __init__(self, database: Database, blobs: Blobs, key: bytes) -> None:
        self._database, self._blobs, self._key = database, blobs, key
        waiting = (FreezeState.QUEUED, FreezeState.RUNNING)
        self._orders = Orders(database, Freeze, Freeze.created_at, Freeze.state, waiting, _fail)
        self._tidy_at = 0.0

    def close(self) -> None:
        """Leave what is being written; another process, or the next start, begins it anew."""
        self._orders.closing.set()

    def step(self) -> bool:
        """Write one archive that waits; tell whether there was one."""
        if time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + TIDY_EVERY_S
            self._tidy()
        hold = self._orders.take(_begin)
        if hold is None:
            return False
        try:
            self._write(hold)
        except HoldLost:
            hold.give_back(state=FreezeState.QUEUED)
        except LetheError as error:
            hold.fail(error.message)
        return True

    def _write(self, hold: Hold[Freeze]) -> None:
        with self._database.read() as session:
            order = select(Competition.slug).join(Freeze, Freeze.competition_id == Competition.id)
            slug = session.scalars(order.where(Freeze.id == hold.id)).one()
        with TemporaryDirectory(prefix="lethe-freeze-") as folder:
            out = Path(folder) / "archive.zip"
            made = freeze(
                self._database,
                self._blobs,
                self._key,
                slug,
                out,
                compute=lambda: hold.wait(WAIT_FOR_BOARDS_S),  # a scorer computes the boards that were asked for
                tell=lambda done, total: hold.tell(done=done, total=total),
            )
            size, blob = out.stat().st_size, self._blobs.put_file(out)
        with self._database.write() as session:
            row = hold.row(session)
            row.state, row.ended_at, row.done = FreezeState.DONE, clock(session), row.total
            row.blob, row.size_bytes, row.head = blob, size, f"{made.head.number}:{made.head.hash}"

    def _tidy(self) -> None:
        """Remove archives that were kept long enough."""
        with self._database.write() as session:
            old = Freeze.ended_at < clock(session) - KEPT
            blobs = set(session.scalars(select(Freeze.blob).where(old, Freeze.blob.is_not(None))))
            session.execute(update(Freeze).where(old).values(blob=None))
            unused = [
                blob for blob in blobs if blob and not session.scalar(select(exists().where(Freeze.blob == blob)))
            ]
        for blob in unused:
            self._blobs.delete(blob)


def _begin(row: Freeze) -> None:
    row.state = FreezeState.RUNNING


def _fail(session: WriteSession, row: Freeze, reason: str) -> None:
    log.warning("freeze_failed", freeze=str(row.id), reason=reason)
    row.state, row.ended_at, row.reason = FreezeState.FAILED, clock(session), reason[:1000]
