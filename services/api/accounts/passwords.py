"""Hashes passwords with Argon2id. One hash needs 64 MB of memory, so at most four run at once."""

from threading import BoundedSemaphore

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

__all__ = ["hash_password", "verify_password"]

_hasher = PasswordHash((Argon2Hasher(),))
_turns = BoundedSemaphore(4)
_nobody = ""  # a hash to compare with if the account does not exist, computed on first use


def hash_password(password: str) -> str:
    """Hash a password with a random salt."""
    with _turns:
        return _hasher.hash(password)


def verify_password(password: str, password_hash: str | None) -> bool:
    """Compare a password with a hash. Without a hash, take as long and return False, so that timing reveals nothing."""
    global _nobody  # noqa: PLW0603 - computed once, and never while importing
    if not _nobody:
        _nobody = hash_password("nobody")
    with _turns:
        same = _hasher.verify(password, password_hash or _nobody)
    return same and password_hash is not None
