"""Tokens: `lethe_`, 40 random letters and digits, and a checksum. The database stores only their keyed digest.

With prefix and checksum, secret scanners recognise a leaked token, and we refuse a mistyped one without a query.
"""

import hmac
import secrets
import string
import zlib

__all__ = ["PREFIX", "derived_token", "digest", "is_well_formed", "new_token"]

PREFIX = "lethe_"
RANDOM_CHARACTERS = 40  # 238 bits
CHECKSUM_CHARACTERS = 6
_ALPHABET = string.digits + string.ascii_letters


def new_token() -> str:
    """Create a token that nobody can guess."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(RANDOM_CHARACTERS))
    return PREFIX + body + _checksum(body)


def derived_token(key: bytes, purpose: bytes) -> str:
    """Create a token that only the holder of the key can guess; for one purpose always the same."""
    number = int.from_bytes(hmac.digest(key, b"derived\0" + purpose, "sha256"))
    body = []
    for _ in range(RANDOM_CHARACTERS):
        number, place = divmod(number, len(_ALPHABET))
        body.append(_ALPHABET[place])
    return PREFIX + "".join(body) + _checksum("".join(body))


def is_well_formed(token: str) -> bool:
    """Tell whether a text has the prefix, length and checksum of a token."""
    body, checksum = token[len(PREFIX) : -CHECKSUM_CHARACTERS], token[-CHECKSUM_CHARACTERS:]
    return (
        token.startswith(PREFIX)
        and token.isascii()
        and len(body) == RANDOM_CHARACTERS
        and hmac.compare_digest(checksum, _checksum(body))
    )


def digest(key: bytes, token: str) -> str:
    """Return the HMAC-SHA256 of a token in hex, which the database stores."""
    return hmac.digest(key, b"token\0" + token.encode(), "sha256").hex()


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = []
    for _ in range(CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
