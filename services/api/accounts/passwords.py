"""Hashes passwords with Argon2id, by a setting that OWASP's Password Storage Cheat Sheet lists as equal to its first.

A hash is slow on purpose. It takes one processor and 46 MiB, and runs without Python's lock. A crowd that signs in must
leave processors to other requests, so no more than half of them hash at once in one process.
"""

import os
from threading import BoundedSemaphore

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

__all__ = ["hash_password", "verify_password"]

MEMORY_KIB = 46 * 1024
_hasher = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=MEMORY_KIB, parallelism=1),))
_turns = BoundedSemaphore(max(1, (os.cpu_count() or 1) // 2))
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
