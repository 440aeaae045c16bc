"""The seeds of an evaluation's runs, derived from a secret key of that evaluation.

An oracle has a different key, so no entry can reproduce oracle models. The index of a seed never enters a sandbox.
"""

from collections.abc import Iterable

from services.core.seeds import derive_seed
from services.worker.supervisor import Seed

__all__ = ["derive_seeds"]


def derive_seeds(key: bytes, indexes: Iterable[int]) -> list[Seed]:
    """Derive the seed of each index."""
    return [Seed(index, derive_seed(key, "run", index)) for index in indexes]
