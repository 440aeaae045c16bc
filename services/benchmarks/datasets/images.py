"""Reads many image files in parallel, decodes and resizes them as the 2023 evaluation did, and caches the result.

That evaluation resized tensors of bytes with torchvision 0.13: bilinear between pixel centres, without antialiasing, in
float32, rounded half to even. Later versions use antialiasing by default, which gives other pixels.
"""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from torch.nn.functional import interpolate

from services.benchmarks.datasets.dataset import BadDataset, Progress

__all__ = ["IMAGE_SUFFIXES", "read_images", "resize"]

FORMAT = b"2"  # of the cache; a new format ignores caches of older versions
IMAGE_SUFFIXES = (".bmp", ".jfif", ".jpeg", ".jpg", ".jpe", ".gif", ".png", ".tif", ".tiff", ".webp")
LARGEST_PIXELS = 40_000_000
DEEP_MODES = ("I", "F")  # how Pillow's modes of more than 8 bits a channel begin; converting these clips
CHUNK = 64  # number of images between two progress reports


def read_images(
    root: Path,
    paths: Sequence[str],
    *,
    size: int,
    source: str,
    cache: Path | None = None,
    progress: Progress = lambda *_: None,
) -> NDArray[np.uint8]:
    """Read images at paths relative to `root` as uint8 [n, 3, size, size]; the second time from `cache`, if given.

    A cached array is used only while names, sizes and times of all files are unchanged. Raises BadDataset, which names
    the first file that cannot be read.
    """
    stored = None if cache is None else cache / f"{_fingerprint(root, paths, size, source)}.safetensors"
    if stored is not None and (found := _recall(stored, (len(paths), 3, size, size))) is not None:
        progress(len(paths), len(paths))
        return found
    images = np.empty((len(paths), 3, size, size), dtype=np.uint8)
    read = partial(_read_one, root, size=size, source=source)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoding releases the interpreter's lock
        for position, image in enumerate(pool.map(read, paths, chunksize=CHUNK)):
            images[position] = image
            if position % CHUNK == 0 or position == len(paths) - 1:
                progress(position + 1, len(paths))
    if stored is not None:
        _remember(stored, images)
    return images


def resize(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Resize an image [3, height, width] as torchvision 0.13 resized a tensor of bytes."""
    if image.shape[1:] == (size, size):
        return image
    wide = torch.from_numpy(image).float()[None]
    found = interpolate(wide, size=(size, size), mode="bilinear", align_corners=False, antialias=False)
    result: NDArray[np.uint8] = torch.round(found[0]).to(torch.uint8).numpy()
    return result


def _read_one(root: Path, path: str, *, size: int, source: str) -> NDArray[np.uint8]:
    try:
        with Image.open(root / path) as file:
            if file.width * file.height > LARGEST_PIXELS:
                raise BadDataset(root / path, f"is too large ({file.width} x {file.height} pixels)", source)
            if file.mode.startswith(DEEP_MODES):
                problem = f"has more than 8 bits a channel ({file.mode}), which would be clipped. Scale it to 8 bits"
                raise BadDataset(root / path, problem, source)
            pixels = np.asarray(file.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadDataset(root / path, f"is not a readable image ({error})", source) from error
    return resize(np.ascontiguousarray(pixels.transpose(2, 0, 1)), size)


def _fingerprint(root: Path, paths: Sequence[str], size: int, source: str) -> str:
    digest = hashlib.sha256(FORMAT + size.to_bytes(4, "big"))
    for path in paths:
        try:
            status = (root / path).stat()
        except OSError as error:
            raise BadDataset(root / path, "is missing", source) from error
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _recall(stored: Path, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    try:
        found: NDArray[np.uint8] | None = load_file(stored).get("image")
    except (OSError, SafetensorError):
        return None
    return found if found is not None and found.shape == shape and found.dtype == np.uint8 else None


def _remember(stored: Path, images: NDArray[np.uint8]) -> None:
    stored.parent.mkdir(parents=True, exist_ok=True)
    partial_file = stored.with_name(f"{stored.name}.partial-{os.getpid()}")
    save_file({"image": images}, partial_file)
    partial_file.replace(stored)
