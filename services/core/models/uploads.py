"""Uploads that named a key, so that sending one again submits nothing twice."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from services.core.models.columns import Digest
from services.core.store.database import Base, utc_now

__all__ = ["UploadKey"]


class UploadKey(Base):
    """A key of an account, what was sent under it, and the answer. It counts for a day."""

    __tablename__ = "upload_keys"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_sha256: Mapped[Digest]  # of the address, the query and the body
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
