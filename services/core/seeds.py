"""Secret seeds: HMAC-SHA256 of a purpose and an index under a key, so that a seed reveals nothing about another one."""

import hmac

__all__ = ["derive_key", "derive_seed", "derive_seeds"]

SEED_BITS = 63  # torch takes any non-negative int64


def derive_seed(key: bytes, purpose: str, index: int) -> int:
    """Derive the seed of an index, from 0 to 2**63 - 1."""
    digest = hmac.digest(key, f"{purpose}|{index}".encode(), "sha256")
    return int.from_bytes(digest[:8], "big") >> (64 - SEED_BITS)


def derive_seeds(key: bytes, purpose: str, count: int) -> list[int]:
    """Derive the seeds of indexes 0 to count - 1."""
    return [derive_seed(key, purpose, index) for index in range(count)]


def derive_key(key: bytes, purpose: str, name: str) -> bytes:
    """Derive the key of something that a name tells apart: HMAC-SHA256 of `purpose|name`, 32 bytes."""
    return hmac.digest(key, f"{purpose}|{name}".encode(), "sha256")
