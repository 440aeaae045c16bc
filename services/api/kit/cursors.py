"""Opaque cursors for keyset pages: the signed sort key of a page's last row, valid for one listing only."""

import base64
import binascii
import hmac
import json
from collections.abc import Sequence

from services.core.errors import BadInput

__all__ = ["BadCursor", "Cursors", "Value"]

Value = str | int | float | None
MAC_BYTES = 16
MAX_CHARACTERS = 1000


class BadCursor(BadInput):
    code = "bad_cursor"


class Cursors:
    """Encodes and decodes cursors under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"cursors", "sha256")

    def encode(self, listing: str, values: Sequence[Value]) -> str:
        """Encode the sort key of the last row on a page of this listing."""
        payload = json.dumps(list(values), separators=(",", ":"), allow_nan=False).encode()
        return base64.urlsafe_b64encode(self._mac(listing, payload) + payload).rstrip(b"=").decode()

    def decode(self, listing: str, cursor: str) -> list[Value]:
        """Decode a cursor. Raises BadCursor unless `encode` made it for the same listing."""
        try:
            if len(cursor) > MAX_CHARACTERS:
                raise ValueError("too long")
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error) as error:
            raise _bad() from error
        mac, payload = raw[:MAC_BYTES], raw[MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(listing, payload)):
            raise _bad()
        values: list[Value] = json.loads(payload)
        return values

    def _mac(self, listing: str, payload: bytes) -> bytes:
        return hmac.digest(self._key, listing.encode() + b"\0" + payload, "sha256")[:MAC_BYTES]


def _bad() -> BadCursor:
    return BadCursor("The cursor in `after` is not from this listing. Use `next` from the previous page.")
