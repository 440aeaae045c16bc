"""Benchmarks that are uploaded: what has arrived, what was found in it, and who let it in."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, deferred, mapped_column

from services.core.models.columns import Digest, Held, Name, choice
from services.core.store.database import Base, utc_now

__all__ = ["BenchmarkUpload", "BenchmarkUploadPart", "BenchmarkUploadState"]


class BenchmarkUploadState(StrEnum):
    """How far an upload is. Only the first state takes parts; the last two are ends."""

    UPLOADING = "uploading"
    VERIFYING = "verifying"  # all has arrived; it waits for a process that checks it
    WAITING = "waiting"  # for the consent of somebody who may publish it
    PUBLISHING = "publishing"  # consented to; it waits for a process that publishes it
    PUBLISHED = "published"
    REFUSED = "refused"


class BenchmarkUpload(Held, Base):
    """One archive of a benchmark on its way in."""

    __tablename__ = "benchmark_uploads"
    __table_args__ = (
        CheckConstraint("size_bytes > 0", name="size"),
        CheckConstraint("received_bytes >= 0 AND received_bytes <= size_bytes", name="received"),
        Index("ix_benchmark_uploads_newest", "created_at", "id"),
        Index("ix_benchmark_uploads_own", "account_id", "created_at", "id"),
        Index("ix_benchmark_uploads_state", "state", "moved_at"),
        Index(
            "ix_benchmark_uploads_kept",
            "moved_at",
            sqlite_where=text("parts_kept"),
            postgresql_where=text("parts_kept"),
        ),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    filename: Mapped[Name]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    head_sha256: Mapped[Digest]  # of the first part, which holds the manifest: it tells one archive from another
    received_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    state: Mapped[BenchmarkUploadState] = mapped_column(
        choice(BenchmarkUploadState), default=BenchmarkUploadState.UPLOADING
    )
    moved_at: Mapped[datetime] = mapped_column(default=utc_now)  # when a part arrived or the state changed
    checked_bytes: Mapped[int] = mapped_column(BigInteger, default=0)  # how far verifying or publishing is
    parts_kept: Mapped[bool] = mapped_column(default=True)
    reason: Mapped[str | None] = mapped_column(String(2000))  # why it was refused, and what to do
    found: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # what the archive says of itself
    architecture: Mapped[str | None] = deferred(mapped_column(Text))  # its code, to read before consenting
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    accept_unfit: Mapped[str | None] = mapped_column(String(500))  # the reason, if it is published although it is unfit
    benchmark_id: Mapped[UUID | None] = mapped_column(ForeignKey("benchmarks.id"))  # once it is published
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class BenchmarkUploadPart(Base):
    """A part that counts: its bytes are in the store under the upload's id."""

    __tablename__ = "benchmark_upload_parts"

    upload_id: Mapped[UUID] = mapped_column(ForeignKey("benchmark_uploads.id"), primary_key=True)
    offset_bytes: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    sha256: Mapped[Digest]
