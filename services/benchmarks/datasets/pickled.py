"""Reads pickles, which some publishers use as a format, without running anything.

A pickle is a program. This reader allows only the few names that arrays of bytes or numbers need.
"""

import io
import pickle  # noqa: TID251 - the published format; only the names below are ever called
from pathlib import Path
from typing import Any

from services.benchmarks.datasets.dataset import BadDataset

__all__ = ["read_pickle"]

ALLOWED = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("_codecs", "encode"),
}


def read_pickle(path: Path, data: bytes, source: str) -> dict[bytes, Any]:
    """Read a dictionary of lists and arrays. Raises BadDataset if it contains or calls anything else."""
    try:
        found = _ArrayUnpickler(io.BytesIO(data), encoding="bytes").load()
    except Exception as error:  # a damaged pickle can raise anything
        raise BadDataset(path, f"is not a pickle of arrays ({type(error).__name__}: {error})", source) from error
    if not isinstance(found, dict):
        raise BadDataset(path, f"contains a {type(found).__name__} instead of a dictionary", source)
    return {key.encode() if isinstance(key, str) else key: value for key, value in found.items()}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise ValueError(f"it uses {module}.{name}, which is not allowed")
        return super().find_class(module, name)
