"""Clearing away what uploads leave: parts of those that ended, uploads that nobody goes on with, directories."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Select, delete, select

from services.api.benchmarks.moves import BUSY, ENDED, end
from services.core.models import BenchmarkUpload, BenchmarkUploadPart, BenchmarkUploadState
from services.core.store.database import Database, clock
from services.core.store.parts import PartStore

__all__ = ["ABANDONED", "UNDECIDED", "remove_parts", "tidy"]

ABANDONED = timedelta(days=7)  # since the last part
UNDECIDED = timedelta(days=30)  # since it was verified
FORGOTTEN = timedelta(days=90)  # rows of uploads that were refused
AT_ONCE = 20  # rows of a state that one tidying looks at

WAITS_TOO_LONG = (
    (
        BenchmarkUploadState.UPLOADING,
        ABANDONED,
        "No part arrived for 7 days, so what had arrived was deleted. Upload the file again.",
    ),
    (
        BenchmarkUploadState.WAITING,
        UNDECIDED,
        "Nobody decided on it for 30 days, so it was deleted. Ask an operator, then upload the file again.",
    ),
)


def remove_parts(database: Database, parts: PartStore) -> bool:
    """Remove the parts of one upload that has ended; tell whether there was one."""
    kept = (BenchmarkUpload.parts_kept, BenchmarkUpload.state.in_(ENDED))
    with database.read() as session:
        upload = session.scalar(select(BenchmarkUpload.id).where(*kept).order_by(BenchmarkUpload.moved_at).limit(1))
    if upload is None:
        return False
    parts.remove(upload)
    with database.write() as session:
        session.execute(delete(BenchmarkUploadPart).where(BenchmarkUploadPart.upload_id == upload))
        session.get_one(BenchmarkUpload, upload).parts_kept = False
    return True


def tidy(database: Database, work: Path) -> None:
    """End abandoned uploads, forget those refused long ago, remove directories of dead processes in `work`."""
    with database.write() as session:
        now = clock(session)
        for state, most, reason in WAITS_TOO_LONG:
            for row in session.scalars(_older(state, now - most).with_for_update(skip_locked=True)):
                end(session, row, reason)
        old = _older(BenchmarkUploadState.REFUSED, now - FORGOTTEN).where(~BenchmarkUpload.parts_kept)
        for row in session.scalars(old):
            session.delete(row)
        busy = set(session.scalars(select(BenchmarkUpload.id).where(BenchmarkUpload.state.in_(BUSY))))
    if work.is_dir():
        for place in work.iterdir():
            if place.name not in {str(upload) for upload in busy}:
                shutil.rmtree(place, ignore_errors=True)


def _older(state: BenchmarkUploadState, moment: datetime) -> Select[BenchmarkUpload]:
    found = select(BenchmarkUpload).where(BenchmarkUpload.state == state, BenchmarkUpload.moved_at < moment)
    return found.order_by(BenchmarkUpload.moved_at).limit(AT_ONCE)
