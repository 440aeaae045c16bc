"""The JSON forms of the record."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.core.models import Act, AuditEvent

__all__ = ["AuditOut", "HeadOut", "ReceiptKeyOut", "ReceiptOut", "account_in"]


class AuditOut(BaseModel):
    """An act of an organiser, an operator or a team on a competition, or a score."""

    id: UUID
    act: Act
    by: str | None = Field(description="The account; null for a service.")
    whom: str | None = Field(description="The account that it is about, if it is about one.")
    details: dict[str, Any]
    created_at: datetime
    number: int | None = Field(description="Its place in the record; null for a moment after the act.")
    hash: str | None

    @classmethod
    def of(cls, event: AuditEvent, *, by: str | None, whom: str | None) -> Self:
        """Make the JSON form of an act."""
        return cls(
            id=event.id,
            act=event.act,
            by=by,
            whom=whom,
            details=event.details,
            created_at=event.created_at,
            number=event.number,
            hash=event.hash,
        )


def account_in(event: AuditEvent) -> UUID | None:
    """Return the account that an act is about, which its details name."""
    found = event.details.get("account")
    return UUID(found) if found else None


class HeadOut(BaseModel):
    """A number of the record with its hash, which covers everything up to it. Keep it to check the record later."""

    number: int = Field(description="0 if nothing is on record.")
    hash: str


class ReceiptKeyOut(BaseModel):
    """The key that checks this installation's receipts."""

    public_key: str = Field(description="Ed25519, in hex.")


class ReceiptOut(BaseModel):
    """A signed statement of a score; `lethe receipt verify` checks it without a server."""

    statement: dict[str, Any] = Field(description="Hashes of code, benchmark, seeds and measurements, and all figures.")
    public_key: str = Field(description="Ed25519, in hex. Compare it with GET /api/receipts/key.")
    signature: str = Field(
        description="Of the statement as JSON with sorted keys, no spaces, and only ASCII characters; in hex."
    )
