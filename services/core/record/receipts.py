"""Receipts: signed statements of a score, which anybody can check without a server."""

import hashlib
import hmac
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.core.errors import BadInput
from services.core.record.chain import canonical

__all__ = ["BadReceipt", "ReceiptKey", "check_readings", "check_receipt"]


class BadReceipt(BadInput):
    code = "bad_receipt"


class ReceiptKey:
    """The key with which an installation signs; it follows from the installation's secret key."""

    def __init__(self, secret: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(hmac.digest(secret, b"receipts", "sha256"))

    @property
    def public(self) -> str:
        """Return the public key in hex."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, statement: dict[str, Any]) -> dict[str, Any]:
        """Return a receipt: the statement, the public key and the signature."""
        signature = self._key.sign(canonical(statement)).hex()
        return {"statement": statement, "public_key": self.public, "signature": signature}


def check_receipt(written: str | bytes, public_key: str | None = None) -> dict[str, Any]:
    """Return a receipt if its signature is its key's, and the key is the one that is wanted. Raises BadReceipt."""
    try:
        receipt = json.loads(written)
        statement = dict(receipt["statement"])
        key, signature = bytes.fromhex(receipt["public_key"]), bytes.fromhex(receipt["signature"])
        Ed25519PublicKey.from_public_bytes(key).verify(signature, canonical(statement))
    except InvalidSignature as error:
        raise BadReceipt("The signature is not that of the statement: the receipt was changed or forged.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadReceipt("This is no receipt. Download it again with `lethe receipt get`.") from error
    if public_key is not None and public_key.lower() != key.hex():
        raise BadReceipt(f"The receipt is signed by another key, {key.hex()}.")
    return {"statement": statement, "public_key": key.hex(), "signature": signature.hex()}


def check_readings(statement: dict[str, Any], name: str, readings: bytes) -> None:
    """Check that a receipt states the hash of these readings: `measurements`, `robustness` or `placebo`.

    Raises BadReceipt.
    """
    stated = statement.get(f"{name}_sha256")
    if not stated:
        raise BadReceipt(f"The receipt states no hash of {name}. Get it again: readings are packed later.")
    found = hashlib.sha256(readings).hexdigest()
    if found != stated:
        raise BadReceipt(
            f"These are not the readings ({name}) that the score was computed from: their SHA-256 is {found}, but the "
            f"receipt states {stated}. They were changed, or belong to another evaluation."
        )
