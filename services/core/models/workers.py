"""The table of workers: each writes its own row at every sweep."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from services.core.models.stored import SelfTestForm, StoredJson
from services.core.store.database import Base, utc_now

__all__ = ["WorkerRow"]


class WorkerRow(Base):
    """A worker as it last described itself."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    slots: Mapped[int]
    slots_busy: Mapped[int]
    device_classes: Mapped[list[str]] = mapped_column(JSON)
    sandbox: Mapped[str] = mapped_column(String(100))  # docker or process, with the OCI runtime if one is set
    environments: Mapped[list[str]] = mapped_column(JSON, default=list)  # whose images it has
    version: Mapped[str] = mapped_column(String(100))  # of Lethe
    free_disk_bytes: Mapped[int] = mapped_column(BigInteger)
    self_test: Mapped[SelfTestForm | None] = mapped_column(StoredJson(SelfTestForm))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
