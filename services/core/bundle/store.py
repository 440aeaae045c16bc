"""Benchmarks in the blob store, and local copies of them: each is fetched once, checked, and kept by digest."""

import contextlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import select

from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import MANIFEST, Manifest
from services.core.directories import private_directory
from services.core.models import Act, BenchmarkRow
from services.core.record.acts import record
from services.core.store.blobs import Blobs, sha256_hex
from services.core.store.database import ReadSession, WriteSession

__all__ = ["keep_files", "materialise", "publish", "publish_kept"]


def publish(session: WriteSession, blobs: Blobs, bundle: Bundle) -> BenchmarkRow:
    """Store a bundle's files as blobs, insert its row, and record the act; do nothing if it is already published.

    Raises BadBundle if it is damaged, and UnfitBenchmark.
    """
    manifest = bundle.manifest
    existing = _published(session, manifest)
    if existing is not None:
        return existing
    bundle.verify()
    keep_files(blobs, bundle)
    return publish_kept(session, bundle)


def keep_files(blobs: Blobs, bundle: Bundle, *, tell: Callable[[], None] = lambda: None) -> None:
    """Store a verified bundle's files as blobs, telling before each. Raises UnfitBenchmark."""
    bundle.require_fit()
    for relative in bundle.manifest.files:
        tell()
        blobs.put_file(bundle.root / relative)
    blobs.put(bundle.manifest.to_bytes())


def publish_kept(
    session: WriteSession,
    bundle: Bundle,
    *,
    account_id: UUID | None = None,
    details: Mapping[str, object] | None = None,
) -> BenchmarkRow:
    """Insert the row of a bundle whose files are stored, and record the act; do nothing if it is published."""
    manifest = bundle.manifest
    existing = _published(session, manifest)
    if existing is not None:
        return existing
    row = BenchmarkRow(
        digest=manifest.digest,
        name=manifest.name,
        manifest=manifest.model_dump(mode="json"),
        manifest_blob=sha256_hex(manifest.to_bytes()),
    )
    session.add(row)
    session.flush()
    told: dict[str, object] = {"benchmark": manifest.name, "digest": manifest.digest, **(details or {})}
    if manifest.accepted_unfit is not None:
        told["accepted_unfit"] = manifest.accepted_unfit
    record(
        session,
        Act.BENCHMARK_PUBLISHED,
        competition_id=None,
        account_id=account_id,
        subject_id=row.id,
        details=told,
    )
    return row


def _published(session: ReadSession, manifest: Manifest) -> BenchmarkRow | None:
    return session.scalars(select(BenchmarkRow).where(BenchmarkRow.digest == manifest.digest)).one_or_none()


def materialise(session: ReadSession, blobs: Blobs, digest: str, directory: Path) -> Bundle:
    """Return the bundle with this digest; fetch it from the blob store on first use."""
    target = directory / digest
    if not target.exists():
        private_directory(directory)
        row = session.scalars(select(BenchmarkRow).where(BenchmarkRow.digest == digest)).one()
        _fetch(blobs, blobs.get(row.manifest_blob), target)
    return Bundle(target)


def _fetch(blobs: Blobs, manifest_bytes: bytes, target: Path) -> None:
    partial = target.with_name(f"{target.name}.{uuid4().hex}")  # slots are threads: a process id would be shared
    for relative, entry in Manifest.from_bytes(manifest_bytes).files.items():
        path = partial / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(blobs.get(entry.sha256))
    (partial / MANIFEST).write_bytes(manifest_bytes)
    with contextlib.suppress(OSError):  # another slot fetched it first
        partial.rename(target)
    shutil.rmtree(partial, ignore_errors=True)
