"""Checks that the files of a benchmark are what its manifest says, before it is used. Nothing of them is executed.

Hashes only tell that a file is the one that the manifest names. Whoever wrote both can name anything, so every file is
also of a known name and a format that is read without running code, and shapes and counts agree.
"""

import ast
import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from services.core.bundle.directory import REMARKS, Bundle
from services.core.bundle.manifest import BadBundle, Manifest
from services.core.bundle.measurements import Measurements
from services.core.text import tidy

__all__ = ["ARCHITECTURE", "check_contents", "check_manifest"]

ARCHITECTURE = "public/architecture.py"
SPLITS = {"retain": "public", "forget": "public", "validation": "public", "test": "hidden"}
NEEDED = (
    *(ARCHITECTURE, "public/original.safetensors", "hidden/probe.safetensors", "hidden/oracle.safetensors"),
    *(f"{folder}/{name}.safetensors" for name, folder in SPLITS.items()),
)
MEASURED = ("second_oracle", "original", "placebo", "untrained")
FURTHER = (
    REMARKS,
    *(f"hidden/{name}.safetensors" for name in (*MEASURED, "originals", "placebos", "poison")),
    *(f"hidden/{name}.safetensors" for name in ("stress", "stress_oracle", "stress_original")),
)
MOST_CODE_BYTES = 256 * 1024
MOST_REMARKS_BYTES = 256 * 1024
MOST_CHARACTERS = 2000
BLOCK_VALUES = 1_000_000  # read at once
SPLIT_TENSORS = {"image", "label", "subject", "scale", "shift"}

Shapes = dict[str, tuple[str, tuple[int, ...]]]  # by tensor: its type and shape


def check_manifest(manifest: Manifest) -> None:
    """Raise BadBundle unless the manifest names the files of a benchmark, and says what can be shown and stored."""
    for name in manifest.files:
        if name not in (*NEEDED, *FURTHER):
            raise BadBundle(f"{name} is not a file of a benchmark. Export the benchmark again.")
    for name in NEEDED:
        if name not in manifest.files:
            raise BadBundle(f"The manifest lacks {name}. Build the benchmark again, then export it.")
    for where, value in _leaves(manifest.model_dump(), "manifest"):
        if isinstance(value, str) and (len(value) > MOST_CHARACTERS or tidy(value) != value):
            raise BadBundle(f"{where} is too long or has invisible characters. Build the benchmark again.")
        if isinstance(value, float) and not math.isfinite(value):
            raise BadBundle(f"{where} is not a finite number. Build the benchmark again.")


def check_contents(bundle: Bundle) -> None:
    """Raise BadBundle, naming the file, unless every file has the format and the shapes that the manifest implies."""
    manifest = bundle.manifest
    check_manifest(manifest)
    _check_code(bundle)
    _check_remarks(bundle)
    found = {name: _shapes(bundle, name) for name in manifest.files if name.endswith(".safetensors")}
    for split, folder in SPLITS.items():
        name = f"{folder}/{split}.safetensors"
        _check_split(bundle, name, found[name], getattr(manifest.counts, split))
    expected = {spec.name: (spec.dtype, spec.shape) for spec in manifest.checkpoint}
    _require(
        found["public/original.safetensors"] == expected, "public/original.safetensors", "the checkpoint's tensors"
    )
    for name, models in (("originals", manifest.originals), ("placebos", manifest.placebos)):
        if (stacked := f"hidden/{name}.safetensors") in found:
            wanted = {key: (dtype, (models, *shape)) for key, (dtype, shape) in expected.items()}
            _require(found[stacked] == wanted, stacked, f"{models} stacked checkpoints")
    for name in ("oracle", *MEASURED):
        if (measured := f"hidden/{name}.safetensors") in found:
            _check_measured(measured, found[measured], manifest, manifest.oracle_seeds if name == "oracle" else None)
    _check_probe(bundle, found["hidden/oracle.safetensors"])
    _check_logits(bundle, "hidden/oracle.safetensors")


def _check_code(bundle: Bundle) -> None:
    data = (bundle.root / ARCHITECTURE).read_bytes()
    _require(len(data) <= MOST_CODE_BYTES, ARCHITECTURE, f"code of at most {MOST_CODE_BYTES // 1024} KiB")
    try:
        parsed = ast.parse(data.decode())
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadBundle(f"{ARCHITECTURE} is not Python. Build the benchmark again.") from error
    defines = any(isinstance(one, ast.FunctionDef) and one.name == "build" for one in parsed.body)
    _require(defines, ARCHITECTURE, "a function build()")


def _check_remarks(bundle: Bundle) -> None:
    if REMARKS not in bundle.manifest.files:
        return
    data = (bundle.root / REMARKS).read_bytes()
    try:
        remarks = json.loads(data.decode()) if len(data) <= MOST_REMARKS_BYTES else None
    except (ValueError, RecursionError):
        remarks = None
    _require(isinstance(remarks, list) and all(isinstance(one, str) for one in remarks), REMARKS, "a list of sentences")


def _shapes(bundle: Bundle, name: str) -> Shapes:
    """Read the names, types and shapes of a file's tensors; the tensors stay on disk."""
    try:
        with safe_open(bundle.root / name, framework="numpy") as file:
            slices = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118 - it is no mapping
            return {key: (one.get_dtype(), tuple(one.get_shape())) for key, one in slices.items()}
    except (SafetensorError, OSError, ValueError) as error:
        raise BadBundle(f"{name} is not a safetensors file ({error}). Build the benchmark again.") from error


def _check_split(bundle: Bundle, name: str, shapes: Shapes, count: int) -> None:
    manifest = bundle.manifest
    image, label = shapes.get("image"), shapes.get("label")
    plain = image is not None and image[0] in {"F32", "U8"} and image[1] == (count, *manifest.input_shape)
    _require(plain, name, f"{count} images of the shape {list(manifest.input_shape)}")
    _require(label == ("I64", (count,)), name, f"{count} labels")
    _require(shapes.get("subject", label) == label, name, f"{count} subjects")
    _require(shapes.keys() <= SPLIT_TENSORS, name, "images, labels and subjects only")
    known = all(((block >= 0) & (block < manifest.classes)).all() for block in _blocks(bundle, name, "label"))
    _require(known, name, f"labels below {manifest.classes}")


def _check_measured(name: str, shapes: Shapes, manifest: Manifest, models: int | None) -> None:
    _require(shapes.keys() == set(Measurements.__slots__), name, "measurements")
    counts, number = manifest.counts, shapes["forget_logits"][1][:1]
    _require(len(number) == 1 and models in (None, number[0]), name, f"{models} models")
    logits = ("F32", (*number, counts.forget, manifest.classes))
    _require(shapes["forget_logits"] == logits, name, "logits of the forget set")
    _require(shapes["test_class"] == ("U8", (*number, counts.test)), name, "classes of the test set")
    packed = ("U8", (*number, -(-counts.retain // 8)))
    _require(shapes["retain_correct"] == packed, name, "a bit for each retain example")
    _require(all(shape[:1] == number for _, shape in shapes.values()), name, "as many rows in every tensor")


def _check_probe(bundle: Bundle, oracle: Shapes) -> None:
    name, shapes = "hidden/probe.safetensors", _shapes(bundle, "hidden/probe.safetensors")
    count = oracle["retain_class"][1][1:]
    _require(shapes == {"index": ("I64", count)} and len(count) == 1, name, "the examples that the oracle covers")
    below = bundle.manifest.counts.retain
    inside = all(((block >= 0) & (block < below)).all() for block in _blocks(bundle, name, "index"))
    _require(inside, name, "an index into the retain set")


def _check_logits(bundle: Bundle, name: str) -> None:
    finite = all(np.isfinite(block).all() for block in _blocks(bundle, name, "forget_logits"))
    _require(finite, name, "finite logits")


def _blocks(bundle: Bundle, name: str, key: str) -> Iterator[Any]:
    """Yield a tensor in parts of its first axis that fit into memory, however large it is."""
    with safe_open(bundle.root / name, framework="numpy") as file:
        part = file.get_slice(key)
        shape = part.get_shape()
        rows = max(1, BLOCK_VALUES // max(1, math.prod(shape[1:])))
        for start in range(0, shape[0], rows):
            yield part[start : min(start + rows, shape[0])]


def _require(holds: bool, name: str, what: str) -> None:
    if not holds:
        raise BadBundle(f"{name} does not hold {what}, as the manifest says. Build the benchmark again.")


def _leaves(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Yield every text and number of a manifest, with its place; names of fields are texts, too."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"A name in {where}", str(key)
            yield from _leaves(inner, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner, where)
    else:
        yield where, value
