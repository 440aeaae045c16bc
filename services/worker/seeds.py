"""The seeds of an evaluation's runs, under a key that each evaluation has for itself.

An oracle uses another key, so no entry can reproduce oracle models; the index never enters a sandbox.
"""

from collections.abc import Iterable

from services.core.seeds import derive_seed
from services.worker.supervisor import Seed

__all__ = ["derive_seeds"]


def derive_seeds(key: bytes, indexes: Iterable[int]) -> list[Seed]:
    """Derive the seed of each index."""
    return [Seed(index, derive_seed(key, "run", index)) for index in indexes]
