"""Signatures by the Standard Webhooks scheme (standardwebhooks.com, version 1: HMAC-SHA256 of id, moment and body)."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256
from uuid import UUID

__all__ = ["secret_of", "signed"]

PREFIX = "whsec_"


def secret_of(key: bytes, webhook_id: UUID) -> str:
    """Derive a webhook's secret from the installation's key: the database holds none."""
    return PREFIX + b64encode(hmac.digest(key, b"webhook|" + webhook_id.bytes, sha256)).decode()


def signed(secret: str, call_id: UUID, at: int, body: bytes) -> Mapping[str, str]:
    """Return the headers that prove who sent a body. The id is the same in every attempt, the moment is not."""
    message_id = f"msg_{call_id.hex}"
    content = f"{message_id}.{at}.".encode() + body
    found = hmac.digest(b64decode(secret.removeprefix(PREFIX)), content, sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{b64encode(found).decode()}",
    }
