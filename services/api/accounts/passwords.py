"""Passwords, hashed with Argon2id. Hashing takes 64 MB each time, so few hash at once."""

from threading import BoundedSemaphore

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

__all__ = ["hash_password", "verify_password"]

_hasher = PasswordHash((Argon2Hasher(),))
_turns = BoundedSemaphore(4)
_nobody = ""  # a hash that no password has, made at first need


def hash_password(password: str) -> str:
    with _turns:
        return _hasher.hash(password)


def verify_password(password: str, password_hash: str | None) -> bool:
    """Compare a password with a hash; without one take as long and say no, so that timing names no accounts."""
    global _nobody  # noqa: PLW0603 - computed once, and never while importing
    if not _nobody:
        _nobody = hash_password("nobody")
    with _turns:
        same = _hasher.verify(password, password_hash or _nobody)
    return same and password_hash is not None
