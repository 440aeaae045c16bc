"""The freezer: it writes the archives that organisers asked for, one at a time, beside the requests of an API process.

A row is the whole order. Whoever writes it holds it for a while and renews that; if the process dies, another begins
anew, at most three times. An archive is kept for some days, because it names people who may want to be forgotten.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import structlog
from sqlalchemy import exists, or_, select, update

from services.api.frozen.freezing import freeze
from services.core.errors import LetheError
from services.core.models import Competition, Freeze, FreezeState
from services.core.store.blobs import Blobs
from services.core.store.database import Database, WriteSession, clock

__all__ = ["KEPT", "Freezer"]

log = structlog.get_logger()

KEPT = timedelta(days=7)
HELD = timedelta(minutes=5)
MOST_ATTEMPTS = 3
TELL_EVERY_S = 1.0
WAIT_FOR_BOARDS_S = 2.0
TIDY_EVERY_S = 600.0


class _Interrupted(Exception):
    """The process ends, or another one has taken over."""


class Freezer:
    """Writes archives until it is closed."""

    def __init__(self, database: Database, blobs: Blobs, key: bytes) -> None:
        self._database, self._blobs, self._key = database, blobs, key
        self._closing = threading.Event()
        self._tidy_at = 0.0

    def close(self) -> None:
        """Leave what is being written; another process, or the next start, begins it anew."""
        self._closing.set()

    def step(self) -> bool:
        """Write one archive that waits; tell whether there was one."""
        if time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + TIDY_EVERY_S
            self._tidy()
        claimed = self._claim()
        if claimed is None:
            return False
        freeze_id, attempt, slug = claimed
        try:
            self._write(freeze_id, attempt, slug)
        except _Interrupted:
            self._give_back(freeze_id, attempt)
        except LetheError as error:
            self._fail(freeze_id, attempt, error.message)
        return True

    def _claim(self) -> tuple[UUID, int, str] | None:
        """Take the order that waits longest; one whose writer has died waits again."""
        with self._database.read() as session:
            now = clock(session)
            waiting = (
                select(Freeze)
                .where(
                    or_(
                        Freeze.state == FreezeState.QUEUED,
                        (Freeze.state == FreezeState.RUNNING) & (Freeze.leased_until < now),
                    )
                )
                .order_by(Freeze.created_at, Freeze.id)
                .limit(1)
            )
            if session.scalars(waiting).one_or_none() is None:
                return None
        with self._database.write() as session:
            row = session.scalars(waiting.with_for_update(skip_locked=True)).one_or_none()
            if row is None:
                return None
            if row.attempts >= MOST_ATTEMPTS:
                row.state, row.ended_at = FreezeState.FAILED, now
                row.reason = f"It was interrupted {MOST_ATTEMPTS} times. Tell the operator."
                return None
            row.state, row.attempts, row.leased_until = FreezeState.RUNNING, row.attempts + 1, now + HELD
            return row.id, row.attempts, session.get_one(Competition, row.competition_id).slug

    def _write(self, freeze_id: UUID, attempt: int, slug: str) -> None:
        tell = self._teller(freeze_id, attempt)
        with TemporaryDirectory(prefix="lethe-freeze-") as folder:
            out = Path(folder) / "archive.zip"
            made = freeze(
                self._database,
                self._blobs,
                self._key,
                slug,
                out,
                compute=lambda: self._wait(freeze_id, attempt),
                tell=tell,
            )
            size, blob = out.stat().st_size, self._blobs.put_file(out)
        with self._database.write() as session:
            row = _held(session, freeze_id, attempt)
            row.state, row.ended_at, row.done = FreezeState.DONE, clock(session), row.total
            row.blob, row.size_bytes, row.head = blob, size, f"{made.head.number}:{made.head.hash}"

    def _teller(self, freeze_id: UUID, attempt: int) -> Callable[[int, int], None]:
        told_at = 0.0

        def tell(done: int, total: int) -> None:
            nonlocal told_at
            if self._closing.is_set():
                raise _Interrupted
            if time.monotonic() - told_at < TELL_EVERY_S:
                return
            self._renew(freeze_id, attempt, done=done, total=total)
            told_at = time.monotonic()

        return tell

    def _wait(self, freeze_id: UUID, attempt: int) -> None:
        """Give a scorer time to compute the boards that were asked for."""
        self._renew(freeze_id, attempt)
        if self._closing.wait(WAIT_FOR_BOARDS_S):
            raise _Interrupted

    def _renew(self, freeze_id: UUID, attempt: int, **progress: int) -> None:
        with self._database.write() as session:
            row = _held(session, freeze_id, attempt)
            row.leased_until = clock(session) + HELD
            for name, count in progress.items():
                setattr(row, name, count)

    def _give_back(self, freeze_id: UUID, attempt: int) -> None:
        with suppress(_Interrupted), self._database.write() as session:
            row = _held(session, freeze_id, attempt)
            row.state, row.leased_until, row.attempts = FreezeState.QUEUED, None, row.attempts - 1

    def _fail(self, freeze_id: UUID, attempt: int, reason: str) -> None:
        log.warning("freeze_failed", freeze=str(freeze_id), reason=reason)
        with suppress(_Interrupted), self._database.write() as session:
            row = _held(session, freeze_id, attempt)
            row.state, row.ended_at, row.reason = FreezeState.FAILED, clock(session), reason[:1000]

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


def _held(session: WriteSession, freeze_id: UUID, attempt: int) -> Freeze:
    """Lock an order that one still holds. Raises _Interrupted if another process has taken it."""
    mine = (Freeze.id == freeze_id, Freeze.attempts == attempt, Freeze.state == FreezeState.RUNNING)
    row = session.scalars(select(Freeze).where(*mine).with_for_update()).one_or_none()
    if row is None:
        raise _Interrupted
    return row
