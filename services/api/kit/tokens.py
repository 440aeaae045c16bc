"""Tokens: `lethe_`, 40 random letters and digits, and a checksum. The database holds their keyed digest alone.

Prefix and checksum let secret scanners know a leaked token, and us refuse a mistyped one without a look-up.
"""

import hmac
import secrets
import string
import zlib

__all__ = ["PREFIX", "digest", "is_well_formed", "new_token"]

PREFIX = "lethe_"
RANDOM_CHARACTERS = 40  # 238 bits
CHECKSUM_CHARACTERS = 6
_ALPHABET = string.digits + string.ascii_letters


def new_token() -> str:
    """Make a token that nobody can guess."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(RANDOM_CHARACTERS))
    return PREFIX + body + _checksum(body)


def is_well_formed(token: str) -> bool:
    """Whether prefix, length and checksum are those of a token."""
    body, checksum = token[len(PREFIX) : -CHECKSUM_CHARACTERS], token[-CHECKSUM_CHARACTERS:]
    return (
        token.startswith(PREFIX)
        and token.isascii()
        and len(body) == RANDOM_CHARACTERS
        and hmac.compare_digest(checksum, _checksum(body))
    )


def digest(key: bytes, token: str) -> str:
    """Return HMAC-SHA256 of a token in hex, as it is stored."""
    return hmac.digest(key, b"token\0" + token.encode(), "sha256").hex()


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = []
    for _ in range(CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
