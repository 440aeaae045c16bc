"""Reads and writes safetensors without a library, because the sandbox image has none and files here may be hostile.

The format: 8 bytes of little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, raw bytes.
"""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.worker.runner.plain import open_plain

__all__ = [
    "BadTensors",
    "Specs",
    "encode",
    "encoded_size",
    "load",
    "load_from",
    "load_untrusted",
    "numpy_dtype",
    "specs_of",
]

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "U8": "|u1",
    "BOOL": "|b1",
}
_NAMES = {np.dtype(code): name for name, code in _DTYPES.items()}
MAX_HEADER_BYTES = 4 * 1024**2
MAX_SIDES = 32  # of a shape, which is numpy's limit

Arrays = Mapping[str, NDArray[Any]]
Specs = dict[str, tuple[str, tuple[int, ...]]]  # name -> (dtype, shape)


class BadTensors(Exception):
    """A file is not a valid checkpoint; the message names the part that is wrong."""


def specs_of(arrays: Arrays) -> Specs:
    """Describe arrays by safetensors dtype and shape. Raises BadTensors if the format lacks a dtype."""
    specs: Specs = {}
    for name, array in arrays.items():
        if array.dtype not in _NAMES:
            raise BadTensors(f"tensor {name} has dtype {array.dtype}, which a checkpoint cannot contain")
        specs[name] = (_NAMES[array.dtype], tuple(array.shape))
    return specs


def numpy_dtype(name: str) -> np.dtype[Any]:
    """Return numpy's dtype for a safetensors dtype."""
    return np.dtype(_DTYPES[name])


def encode(arrays: Arrays) -> bytes:
    """Encode arrays in name order; the same arrays always give the same bytes."""
    header = _header(specs_of(arrays))
    return header + b"".join(np.ascontiguousarray(arrays[name]).tobytes() for name in sorted(arrays))


def encoded_size(specs: Specs) -> int:
    """Count the bytes that `encode` writes for arrays of these specs."""
    return len(_header(specs)) + sum(_size(*spec) for spec in specs.values())


def load(path: str) -> dict[str, NDArray[Any]]:
    """Read a trusted file, such as a file of the bundle."""
    return _decode(Path(path).read_bytes())


def load_from(name: str, directory: int) -> dict[str, NDArray[Any]]:
    """Read a trusted file of an open directory."""
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory), "rb") as file:
        return _decode(file.read())


def load_untrusted(path: str, expected: Specs) -> dict[str, NDArray[Any]]:
    """Read a checkpoint that a participant's code wrote, and check it without running or parsing anything.

    The file is opened once, without following links. It must be a regular file with one link. Its size and its header
    must be, byte by byte, those that `encode` writes for the expected specs; only then are the rest of its bytes taken
    as tensors, whose values must be finite. Raises BadTensors.
    """
    header, size = _header(expected), encoded_size(expected)
    try:
        with open_plain(Path(path)) as file:
            status = os.fstat(file.fileno())
            data = file.read(size + 1)
    except OSError as error:
        raise BadTensors(f"the checkpoint cannot be opened: {error.strerror}") from error
    if status.st_nlink != 1:
        raise BadTensors("the checkpoint is not a file with one link")
    if len(data) != size:
        raise BadTensors(f"the checkpoint is {status.st_size:,} bytes; expected {size:,} bytes")
    if not data.startswith(header):
        raise BadTensors("the checkpoint's header is not that of the architecture; let unlearning() return the model")
    arrays = _split(memoryview(data)[len(header) :], expected)
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise BadTensors(f"tensor {name} contains NaN or infinite values")
    return arrays


def _split(body: memoryview, specs: Specs) -> dict[str, NDArray[Any]]:
    """Cut the bytes after a canonical header into tensors."""
    arrays: dict[str, NDArray[Any]] = {}
    position = 0
    for name in sorted(specs):
        dtype, shape = specs[name]
        end = position + _size(dtype, shape)
        arrays[name] = np.frombuffer(body[position:end], dtype=_DTYPES[dtype]).reshape(shape)
        position = end
    return arrays


def _size(dtype: str, shape: tuple[int, ...]) -> int:
    return np.dtype(_DTYPES[dtype]).itemsize * math.prod(shape)


def _header(specs: Specs) -> bytes:
    entries: dict[str, Any] = {}
    offset = 0
    for name in sorted(specs):
        dtype, shape = specs[name]
        end = offset + _size(dtype, shape)
        entries[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _decode(data: bytes) -> dict[str, NDArray[Any]]:
    """Read a file that any program wrote. Raises BadTensors."""
    header_size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or header_size > min(MAX_HEADER_BYTES, len(data) - 8):
        raise BadTensors("the file is not a safetensors file")
    try:
        header = json.loads(data[8 : 8 + header_size])
        header.pop("__metadata__", None)
        entries = [(name, entry["dtype"], entry["shape"], entry["data_offsets"]) for name, entry in header.items()]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadTensors("the file's header is invalid") from error
    body = memoryview(data)[8 + header_size :]
    return {name: _tensor(body, name, dtype, shape, offsets) for name, dtype, shape, offsets in entries}


def _is_side(side: object) -> bool:
    return type(side) is int and 0 <= side < 2**40


def _tensor(body: memoryview, name: str, dtype: object, shape: object, offsets: object) -> NDArray[Any]:
    is_shape = isinstance(shape, list) and len(shape) <= MAX_SIDES and all(_is_side(side) for side in shape)
    if not isinstance(dtype, str) or dtype not in _DTYPES or not isinstance(shape, list) or not is_shape:
        raise BadTensors(f"tensor {name[:200]} has an unknown dtype or shape")
    size = _size(dtype, tuple(shape))
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(_is_side(side) for side in offsets):
        raise BadTensors(f"tensor {name[:200]} has invalid offsets")
    start, end = offsets
    if end - start != size or end > len(body):
        raise BadTensors(f"tensor {name[:200]} is not at the offsets in the header")
    try:
        return np.frombuffer(body[start:end], dtype=_DTYPES[dtype]).reshape(shape)
    except ValueError as error:  # too large a side beside one of 0
        raise BadTensors(f"tensor {name[:200]} has an unknown dtype or shape") from error
