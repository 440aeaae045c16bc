"""Checks the archive of an upload, and publishes it: the work of the verifier, with all that reads a benchmark.

An archive is read part by part and unpacked by the code of `lethe benchmark import`, both when it is checked and when
it is published, so nothing lies between the check and the use.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from services.api.benchmarks.moves import end, move
from services.api.kit.holding import Hold, HoldLost
from services.core.bundle import store as bundle_store
from services.core.bundle.acceptance import accept_unfit
from services.core.bundle.archive import import_stream
from services.core.bundle.contents import ARCHITECTURE
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import BadBundle
from services.core.errors import LetheError
from services.core.models import BenchmarkRow, BenchmarkUpload, BenchmarkUploadPart, BenchmarkUploadState
from services.core.store.blobs import Blobs
from services.core.store.database import Database, ReadSession
from services.core.store.parts import PartStore
from services.core.store.room import require_room

__all__ = ["Work"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Work:
    """One upload that is held, and a place to unpack it in."""

    database: Database
    blobs: Blobs
    parts: PartStore
    hold: Hold[BenchmarkUpload]
    place: Path

    def verify(self) -> None:
        """Check the archive, and note what somebody who consents has to know. Raises BadBundle, NoRoom or HoldLost."""
        bundle = self._unpack()
        manifest = bundle.manifest
        code = (bundle.root / ARCHITECTURE).read_text(encoding="utf-8")
        with self.database.write() as session:
            row = self.hold.row(session)
            if session.scalar(select(BenchmarkRow.id).where(BenchmarkRow.digest == manifest.digest)) is not None:
                end(session, row, f"{manifest.name} is published here already. Choose it when you add a phase.")
                return
            row.found = _found(session, bundle)
            row.architecture = code
            move(session, row, BenchmarkUploadState.WAITING)

    def publish(self) -> None:
        """Publish what was consented to. Raises BadBundle, NoRoom or HoldLost."""
        with self.database.read() as session:
            row = session.get_one(BenchmarkUpload, self.hold.id)
            expected, reason, by, uploader = (row.found or {}), row.accept_unfit, row.decided_by, row.account_id
        bundle = self._unpack(digest=str(expected["digest"]))
        if reason is not None:
            bundle = accept_unfit(bundle, reason)
        self.hold.renew(checked_bytes=self._size())
        bundle_store.keep_files(self.blobs, bundle, tell=self.hold.renew)
        with self.database.write() as session:
            row = self.hold.row(session)
            details = {"upload": str(self.hold.id), "uploaded_by": str(uploader)}
            row.benchmark_id = bundle_store.publish_kept(session, bundle, account_id=by, details=details).id
            row.found = (row.found or {}) | {
                "digest": bundle.manifest.digest,
                "accepted_unfit": bundle.manifest.accepted_unfit,
            }
            move(session, row, BenchmarkUploadState.PUBLISHED)
        log.info("benchmark_published", benchmark=bundle.manifest.name, digest=bundle.manifest.digest)

    def _unpack(self, *, digest: str | None = None) -> Bundle:
        """Unpack an archive into a place. The fault is the archive's until shown ours. Raises BadBundle or NoRoom."""
        require_room(self.place, self._size(), "Unpacking the benchmark")
        with self.database.read() as session:
            counted = select(BenchmarkUploadPart.offset_bytes, BenchmarkUploadPart.sha256)
            digests = dict(session.execute(counted.where(BenchmarkUploadPart.upload_id == self.hold.id)).all())
        reader = _Reader(self.parts, self.hold.id, digests, lambda done: self.hold.tell(checked_bytes=done))
        try:
            return import_stream(reader, self.place / "bundle", digest=digest)
        except (LetheError, SQLAlchemyError, HoldLost):
            raise
        except Exception as error:
            log.exception("upload_unreadable", upload=str(self.hold.id))
            raise BadBundle("The archive cannot be read. Export the benchmark again, then upload it.") from error

    def _size(self) -> int:
        with self.database.read() as session:
            return session.get_one(BenchmarkUpload, self.hold.id).size_bytes


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
