"""The verifier: it checks uploads that are complete, and publishes those that were consented to, beside the requests.

A row is the whole order: see `api.kit.holding`. An archive is read part by part and unpacked by the code of `lethe
benchmark import`, both when it is checked and when it is published, so nothing lies between the check and the use.
"""

import shutil
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from services.api.benchmarks.clearing import remove_parts, tidy
from services.api.benchmarks.moves import BUSY, end, move
from services.api.kit.holding import Hold, HoldLost, Orders
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
from services.core.store.database import Database, ReadSession, WriteSession
from services.core.store.parts import PartStore
from services.core.store.room import NoRoom, require_room

__all__ = ["Verifier"]

log = structlog.get_logger()

AGAIN = timedelta(minutes=1)  # after something that is ours to mend: a full disk, a store that does not answer
TIDY_EVERY_S = 600.0


class _Reader:
    """Reads the parts of an upload as one file, one part in memory at a time."""

    def __init__(self, parts: PartStore, upload: UUID, digests: dict[int, str], tell: Callable[[int], None]) -> None:
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
        with self._database.read() as session:
            state = session.get_one(BenchmarkUpload, hold.id).state
        (self._verify if state is BenchmarkUploadState.VERIFYING else self._publish)(hold, place)

    def _verify(self, hold: Hold[BenchmarkUpload], place: Path) -> None:
        bundle = self._unpack(hold, place)
        manifest = bundle.manifest
        code = (bundle.root / ARCHITECTURE).read_text(encoding="utf-8")
        with self._database.write() as session:
            row = hold.row(session)
            if session.scalar(select(BenchmarkRow.id).where(BenchmarkRow.digest == manifest.digest)) is not None:
                end(session, row, f"{manifest.name} is published here already. Choose it when you add a phase.")
                return
            row.found = _found(session, bundle)
            row.architecture = code
            move(session, row, BenchmarkUploadState.WAITING)

    def _publish(self, hold: Hold[BenchmarkUpload], place: Path) -> None:
        with self._database.read() as session:
            row = session.get_one(BenchmarkUpload, hold.id)
            expected, reason, by, uploader = (row.found or {}), row.accept_unfit, row.decided_by, row.account_id
        bundle = self._unpack(hold, place, digest=str(expected["digest"]))
        if reason is not None:
            bundle = accept_unfit(bundle, reason)
        hold.renew(checked_bytes=self._size(hold.id))
        bundle_store.keep_files(self._blobs, bundle, tell=hold.renew)
        with self._database.write() as session:
            row = hold.row(session)
            details = {"upload": str(hold.id), "uploaded_by": str(uploader)}
            row.benchmark_id = bundle_store.publish_kept(session, bundle, account_id=by, details=details).id
            row.found = (row.found or {}) | {
                "digest": bundle.manifest.digest,
                "accepted_unfit": bundle.manifest.accepted_unfit,
            }
            move(session, row, BenchmarkUploadState.PUBLISHED)
        log.info("benchmark_published", benchmark=bundle.manifest.name, digest=bundle.manifest.digest)

    def _unpack(self, hold: Hold[BenchmarkUpload], place: Path, *, digest: str | None = None) -> Bundle:
        """Unpack an archive into a place. The fault is the archive's until shown ours. Raises BadBundle or NoRoom."""
        require_room(place, self._size(hold.id), "Unpacking the benchmark")
        with self._database.read() as session:
            counted = select(BenchmarkUploadPart.offset_bytes, BenchmarkUploadPart.sha256)
            digests = dict(session.execute(counted.where(BenchmarkUploadPart.upload_id == hold.id)).all())
        reader = _Reader(self._parts, hold.id, digests, lambda done: hold.tell(checked_bytes=done))
        try:
            return import_stream(reader, place / "bundle", digest=digest)
        except (LetheError, SQLAlchemyError, HoldLost):
            raise
        except Exception as error:
            log.exception("upload_unreadable", upload=str(hold.id))
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


def _refuse(session: WriteSession, row: BenchmarkUpload, reason: str) -> None:
    log.warning("upload_refused", upload=str(row.id), reason=reason)
    end(session, row, reason)
