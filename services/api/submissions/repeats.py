"""Uploads that name a key (`Idempotency-Key`): however often one is sent, it submits once and gets the same answer."""

import hashlib
import json
from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import StringConstraints
from sqlalchemy import delete

from services.api.kit.schemas import in_words
from services.api.submissions.admission import SubmitRequest
from services.core.errors import BadInput
from services.core.models import UploadKey
from services.core.store.database import ReadSession, WriteSession, utc_now

__all__ = ["KEPT", "IdempotencyKey", "IdempotencyKeyReused", "Once", "digest_of", "find", "keep"]

KEPT = timedelta(hours=24)

IdempotencyKey = Annotated[
    str,
    StringConstraints(pattern=r"^[\x21-\x7e]{1,200}$"),
    in_words("give 1 to 200 printable ASCII characters without blanks"),
]


class IdempotencyKeyReused(BadInput):
    code = "idempotency_key_reused"


@dataclass(frozen=True, slots=True)
class Once:
    """A key, and the digest of all that was sent under it."""

    key: str
    request_sha256: str

    def require_same(self, kept: UploadKey) -> None:
        """Raise IdempotencyKeyReused if something else was sent under the key before."""
        if kept.request_sha256 != self.request_sha256:
            raise IdempotencyKeyReused(
                "You sent another file, or the same one to another place or under another name, under this "
                "Idempotency-Key within the last 24 hours. Use a new key for each submission."
            )


def digest_of(request: SubmitRequest, body_sha256: str) -> str:
    """Return a digest of everything that makes an upload what it is."""
    asked = [str(one) for one in astuple(request)[1:]]  # the account has keys of its own
    return hashlib.sha256(json.dumps([*asked, body_sha256]).encode()).hexdigest()


def find(session: ReadSession, request: SubmitRequest, key: str) -> UploadKey | None:
    """Find what the caller sent under a key within a day."""
    kept = session.get(UploadKey, (request.who.account_id, key), populate_existing=True)
    return kept if kept is not None and kept.created_at > utc_now() - KEPT else None


def keep(session: WriteSession, request: SubmitRequest, once: Once, answer: dict[str, Any]) -> None:
    """Keep an answer, and forget the caller's old ones. The caller's teams are locked."""
    own = UploadKey.account_id == request.who.account_id
    session.execute(delete(UploadKey).where(own, UploadKey.created_at <= utc_now() - KEPT))
    session.add(
        UploadKey(account_id=request.who.account_id, key=once.key, request_sha256=once.request_sha256, answer=answer)
    )
