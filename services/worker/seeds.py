"""The seeds of an evaluation's runs, derived from a secret key of that evaluation.

An oracle has a different key, so no entry can reproduce oracle models. The index of a seed never enters a sandbox.
"""

from collections.abc import Collection, Iterable

from services.core.seeds import derive_seed
from services.worker.runs import Seed

__all__ = ["derive_seeds"]


def derive_seeds(key: bytes, indexes: Iterable[int], *, placebos: int = 0, trained: Collection[int] = ()) -> list[Seed]:
    """Derive the seed of each index.

    The first `placebos` indexes also get a placebo run, and the `trained` ones a run of the platform's trainer.
    """
    return [
        Seed(
            index,
            derive_seed(key, "run", index),
            derive_seed(key, "placebo", index) if index < placebos else None,
            derive_seed(key, "trainer", index) if index in trained else None,
        )
        for index in indexes
    ]
