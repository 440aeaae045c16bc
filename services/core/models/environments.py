"""The table of environments: what code finds in a sandbox."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from services.core.device import Device
from services.core.models.columns import choice
from services.core.store.database import Base, utc_now

__all__ = ["EnvironmentRow"]


class EnvironmentRow(Base):
    """An image that passed its check, and what is in it. A worker writes the row of its own image."""

    __tablename__ = "environments"

    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    image: Mapped[str] = mapped_column(String(255))  # as the operator named it
    digest: Mapped[str] = mapped_column(String(80))  # the image's id; empty for the process sandbox
    device: Mapped[Device] = mapped_column(choice(Device))
    python: Mapped[str] = mapped_column(String(40))
    packages: Mapped[dict[str, str]] = mapped_column(JSON)  # version of each distribution
    modules: Mapped[list[str]] = mapped_column(JSON)  # names that can be imported, beside Python's own
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    self_test: Mapped[str] = mapped_column(String(200))
    checked_at: Mapped[datetime] = mapped_column(default=utc_now)
