"""Column types that every table shares."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID, uuid4

from sqlalchemy import Enum, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

__all__ = ["Digest", "Held", "Id", "Name", "Slug", "choice"]

Id = Annotated[UUID, mapped_column(Uuid, primary_key=True, default=uuid4)]
Digest = Annotated[str, mapped_column(String(64))]  # SHA-256 in hex
Slug = Annotated[str, mapped_column(String(63))]
Name = Annotated[str, mapped_column(String(200))]


class Held:
    """The columns of an order on which one process works at a time: see `api.kit.holding`."""

    id: Mapped[Id]
    attempts: Mapped[int] = mapped_column(default=0)  # also the fencing number of the process that works on it
    leased_until: Mapped[datetime | None]


def choice(enum: type[StrEnum], *, length: int = 24, checked: bool = True) -> Enum:
    """Define a string column for one value of the enum; if `checked`, both databases check it."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=checked,
        length=length,
        name=enum.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )
