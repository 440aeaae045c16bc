"""Commit and reveal: with the secret of a benchmark, anyone can check that nothing was chosen afterwards."""

import hashlib
from pathlib import Path

import numpy as np

from services.benchmarks.catalogue import find_definition
from services.benchmarks.cutting import cut
from services.benchmarks.definitions import Progress
from services.core.bundle.directory import Bundle
from services.core.errors import BadInput
from services.core.seeds import derive_seed

__all__ = ["WrongSecret", "check_reveal"]


class WrongSecret(BadInput):
    code = "wrong_secret"


def check_reveal(
    bundle: Bundle, secret: bytes, *, data: Path | None, cache: Path, progress: Progress = lambda *_: None
) -> int:
    """Split the dataset again from the secret and compare every example; return the number of examples.

    Raises WrongSecret if the secret does not have the published hash, or if anything differs.
    """
    manifest = bundle.manifest
    found = hashlib.sha256(secret).hexdigest()
    if found != manifest.seed_commitment:
        raise WrongSecret(
            f"The secret's SHA-256 is {found}, but {manifest.name} was committed to another one. Check the secret file."
        )
    if manifest.origin is None:
        raise WrongSecret(f"{manifest.name} cannot be checked, because its manifest does not record its origin.")
    label = manifest.origin.drawn_for
    definition = find_definition(manifest.origin.definition).with_scenario(manifest.origin.scenario)
    dataset = definition.read(data, cache=cache, progress=progress)
    drawn = None if label is None else derive_seed(secret, f"{label}|split", 0)
    for name, examples in cut(definition, dataset, drawn_from=drawn).splits.named().items():
        stored = bundle.arrays(f"{'hidden' if name == 'test' else 'public'}/{name}.safetensors")
        expected = examples.arrays()
        if stored.keys() != expected.keys() or not all(np.array_equal(stored[key], expected[key]) for key in expected):
            raise WrongSecret(f"The {name} set differs from the one that this secret and dataset give. Check --data.")
    return len(dataset.labels)
