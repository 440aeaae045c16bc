"""Secret seeds: HMAC-SHA256 of the index, under a key that each evaluation has for itself.

An oracle uses another key, so no entry can reproduce oracle models; the index never enters a sandbox.
"""

import hmac
from collections.abc import Iterable

from services.worker.supervisor import Seed

__all__ = ["derive_seeds"]

SEED_BITS = 63  # torch takes any non-negative int64


def derive_seeds(key: bytes, indexes: Iterable[int]) -> list[Seed]:
    """Derive the seed of each index."""
    return [Seed(index, _value(key, index)) for index in indexes]


def _value(key: bytes, index: int) -> int:
    digest = hmac.digest(key, b"run|%d" % index, "sha256")
    return int.from_bytes(digest[:8], "big") >> (64 - SEED_BITS)
