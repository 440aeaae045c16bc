"""The verifier: it checks uploads that are complete, and publishes those that were consented to, beside the requests.

A row is the whole order, as for the freezer. Whoever works on it holds it for a while and renews that; if the process
dies, another begins anew. An archive is read part by part and unpacked by the code of `lethe benchmark import`, both
when it is checked and when it is published, so nothing lies between the check and the use.
"""

import shutil
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError

from services.api.benchmarks.clearing import remove_parts, tidy
from services.api.benchmarks.moves import BUSY, end, move
from services.core.bundle import store as bundle_store
from services.core.bundle.acceptance import accept_unfit
from services.core.bundle.archive import import_stream
from services.core.bundle.contents import ARCHITECTURE
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import BadBundle
from services.core.directories import private_directory
from services.core.errors import LetheError
from services.core.models import BenchmarkRow, BenchmarkUpload, BenchmarkUploadPart, BenchmarkUploadState
from services.core.settings import Settings
from services.core.store.blobs import Blobs, BlobsUnavailable
from services.core.store.database import Database, ReadSession, WriteSession, clock
from services.core.store.parts import Parts
from services.core.store.room import NoRoom, require_room

__all__ = ["HELD", "MOST_ATTEMPTS", "Verifier"]

log = structlog.get_logger()

HELD = timedelta(minutes=5)  # long enough to put the largest file of a benchmark into the store
AGAIN = timedelta(minutes=1)  # after something that is ours to mend: a full disk, a store that does not answer
MOST_ATTEMPTS = 3
TELL_EVERY_S = 1.0
TIDY_EVERY_S = 600.0


class _Interrupted(Exception):
    """The process ends, or another one has taken over."""


class _Reader:
    """Reads the parts of an upload as one file, one part in memory at a time."""

    def __init__(self, parts: Parts, upload: UUID, digests: dict[int, str], tell: Callable[[int], None]) -> None:
        self._parts, self._upload, self._digests, self._tell = parts, upload, digests, tell
        self._offsets = iter(sorted(digests))
        self._part = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        if not self._part:
            offset = next(self._offsets, None)
            if offset is None:
                return b""
            self._tell(offset)
            self._part = memoryview(self._parts.get(self._upload, offset, self._digests[offset]))
        data, self._part = bytes(self._part[:size]), self._part[size:]
        return data


class Verifier:
    """Checks and publishes uploads until it is closed."""

    def __init__(self, settings: Settings, database: Database, blobs: Blobs) -> None:
        self._settings, self._database, self._blobs = settings, database, blobs
        self._parts = Parts(blobs)
        self._work = settings.data_dir.resolve() / "cache" / "uploads"
        self._closing = threading.Event()
        self._tidy_at = 0.0

    def close(self) -> None:
        """Leave what is being checked; another process, or the next start, begins it anew."""
        self._closing.set()

    def step(self) -> bool:
        """Check or publish one upload, or remove the parts of one that has ended; tell whether there was one."""
        if time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + TIDY_EVERY_S
            tidy(self._database, self._work)
        if remove_parts(self._database, self._parts):
            return True
        claimed = self._claim()
        if claimed is None:
            return False
        upload, attempt, state = claimed
        try:
            with self._place(upload) as place:
                (self._verify if state is BenchmarkUploadState.VERIFYING else self._publish)(upload, attempt, place)
        except _Interrupted:
            self._give_back(upload, attempt)
        except (NoRoom, BlobsUnavailable) as error:
            self._give_back(upload, attempt, reason=error.message)
        except LetheError as error:
            self._refuse(upload, attempt, error.message)
        return True

    # What an archive holds

    def _verify(self, upload: UUID, attempt: int, place: Path) -> None:
        bundle = self._unpack(upload, attempt, place)
        manifest = bundle.manifest
        code = (bundle.root / ARCHITECTURE).read_text(encoding="utf-8")
        with self._database.write() as session:
            row = _held(session, upload, attempt)
            if session.scalar(select(BenchmarkRow.id).where(BenchmarkRow.digest == manifest.digest)) is not None:
                end(session, row, f"{manifest.name} is published here already. Choose it when you add a phase.")
                return
            row.found = _found(session, bundle)
            row.architecture = code
            move(session, row, BenchmarkUploadState.WAITING)

    def _publish(self, upload: UUID, attempt: int, place: Path) -> None:
        with self._database.read() as session:
            row = session.get_one(BenchmarkUpload, upload)
            expected, reason, by, uploader = (row.found or {}), row.accept_unfit, row.decided_by, row.account_id
        bundle = self._unpack(upload, attempt, place, digest=str(expected["digest"]))
        if reason is not None:
            bundle = accept_unfit(bundle, reason)
        self._renew(upload, attempt, self._size(upload))
        bundle_store.keep_files(self._blobs, bundle, tell=lambda: self._renew(upload, attempt))
        with self._database.write() as session:
            row = _held(session, upload, attempt)
            details = {"upload": str(upload), "uploaded_by": str(uploader)}
            row.benchmark_id = bundle_store.publish_kept(session, bundle, account_id=by, details=details).id
            row.found = (row.found or {}) | {
                "digest": bundle.manifest.digest,
                "accepted_unfit": bundle.manifest.accepted_unfit,
            }
            move(session, row, BenchmarkUploadState.PUBLISHED)
        log.info("benchmark_published", benchmark=bundle.manifest.name, digest=bundle.manifest.digest)

    def _unpack(self, upload: UUID, attempt: int, place: Path, *, digest: str | None = None) -> Bundle:
        """Unpack an archive into a place. The fault is the archive's until shown ours. Raises BadBundle or NoRoom."""
        require_room(place, self._size(upload), "Unpacking the benchmark")
        with self._database.read() as session:
            counted = select(BenchmarkUploadPart.offset_bytes, BenchmarkUploadPart.sha256)
            digests = dict(session.execute(counted.where(BenchmarkUploadPart.upload_id == upload)).all())
        reader = _Reader(self._parts, upload, digests, self._teller(upload, attempt))
        try:
            return import_stream(reader, place / "bundle", digest=digest)
        except (LetheError, SQLAlchemyError, _Interrupted):
            raise
        except Exception as error:
            log.exception("upload_unreadable", upload=str(upload))
            raise BadBundle("The archive cannot be read. Export the benchmark again, then upload it.") from error

    @contextmanager
    def _place(self, upload: UUID) -> Any:
        place = private_directory(self._work) / str(upload)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _size(self, upload: UUID) -> int:
        with self._database.read() as session:
            return session.get_one(BenchmarkUpload, upload).size_bytes

    # Whose turn it is

    def _claim(self) -> tuple[UUID, int, BenchmarkUploadState] | None:
        """Take the upload that waits longest; one whose process has died waits again."""
        with self._database.read() as session:
            now = clock(session)
            waiting = (
                select(BenchmarkUpload)
                .where(
                    BenchmarkUpload.state.in_(BUSY),
                    or_(BenchmarkUpload.leased_until.is_(None), BenchmarkUpload.leased_until < now),
                )
                .order_by(BenchmarkUpload.moved_at, BenchmarkUpload.id)
                .limit(1)
            )
            if session.scalars(waiting).one_or_none() is None:
                return None
        with self._database.write() as session:
            row = session.scalars(waiting.with_for_update(skip_locked=True)).one_or_none()
            if row is None:
                return None
            if row.attempts >= MOST_ATTEMPTS:
                end(session, row, f"Reading it was interrupted {MOST_ATTEMPTS} times. Tell an operator.")
                return None
            row.attempts, row.leased_until = row.attempts + 1, now + HELD
            return row.id, row.attempts, row.state

    def _teller(self, upload: UUID, attempt: int) -> Callable[[int], None]:
        told_at = 0.0

        def tell(done: int) -> None:
            nonlocal told_at
            if self._closing.is_set():
                raise _Interrupted
            if time.monotonic() - told_at >= TELL_EVERY_S:
                self._renew(upload, attempt, done)
                told_at = time.monotonic()

        return tell

    def _renew(self, upload: UUID, attempt: int, done: int | None = None) -> None:
        if self._closing.is_set():
            raise _Interrupted
        with self._database.write() as session:
            row = _held(session, upload, attempt)
            row.leased_until = clock(session) + HELD
            if done is not None:
                row.checked_bytes = done

    def _give_back(self, upload: UUID, attempt: int, reason: str | None = None) -> None:
        with suppress(_Interrupted), self._database.write() as session:
            row = _held(session, upload, attempt)
            row.attempts, row.reason, row.checked_bytes = row.attempts - 1, reason, 0
            row.leased_until = clock(session) + AGAIN if reason else None

    def _refuse(self, upload: UUID, attempt: int, reason: str) -> None:
        log.warning("upload_refused", upload=str(upload), reason=reason)
        with suppress(_Interrupted), self._database.write() as session:
            end(session, _held(session, upload, attempt), reason)


def _found(session: ReadSession, bundle: Bundle) -> dict[str, Any]:
    """Say what somebody who consents has to know."""
    manifest = bundle.manifest
    published = session.execute(select(BenchmarkRow.name, BenchmarkRow.manifest)).all()
    codes = {row.manifest.get("files", {}).get(ARCHITECTURE, {}).get("sha256") for row in published}
    names = ("name", "title", "digest", "dataset", "licence", "architecture", "oracle_seeds", "originals")
    return {name: getattr(manifest, name) for name in (*names, "accepted_unfit")} | {
        "counts": manifest.counts.model_dump(),
        "problems": list(manifest.fitness.problems),
        "architecture_known": manifest.files[ARCHITECTURE].sha256 in codes,
        "name_taken": manifest.name in {row.name for row in published},
    }


def _held(session: WriteSession, upload: UUID, attempt: int) -> BenchmarkUpload:
    """Lock an upload that one still holds. Raises _Interrupted if it ended or another process has taken it."""
    mine = (BenchmarkUpload.id == upload, BenchmarkUpload.attempts == attempt, BenchmarkUpload.state.in_(BUSY))
    row = session.scalars(select(BenchmarkUpload).where(*mine).with_for_update()).one_or_none()
    if row is None:
        raise _Interrupted
    return row
