"""Imports torchvision together with a CPU-only torch.

PyPI's torchvision is compiled against CUDA. With a CPU-only torch its extensions do not load, and then its Python code
fails: `operator torchvision::nms does not exist`. So we declare two operators without an implementation, which is
enough for models and transforms, and implement those that read and write images, by Pillow. If the extensions load, as
with PyTorch's builds for CPUs and with Debian's packages, nothing is declared.

This file is also copied into sandboxes and their images, so it imports only the standard library, numpy, Pillow and
torch.
"""

import importlib
import io
import sys
from pathlib import Path
from typing import Any

import torch

__all__ = ["announce_images", "declare_operators", "import_torchvision"]

_BOXES = tuple(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor" for name in ("nms", "qnms"))
_MODES = (None, "L", "LA", "RGB", "RGBA")  # of torchvision.io.ImageReadMode, by value
_declared: list[torch.library.Library] = []  # declarations last as long as these objects


def import_torchvision() -> None:
    """Import torchvision; declare its missing operators if it fails without them. Raises ImportError."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]  # only half imported
        declare_operators()
        importlib.import_module("torchvision")
        announce_images()


def declare_operators() -> None:
    """Declare the operators that torchvision's Python code needs. Do nothing the second time."""
    if _declared:
        return
    boxes = torch.library.Library("torchvision", "DEF")
    for schema in _BOXES:
        boxes.define(schema)
    images = torch.library.Library("image", "DEF")
    for schema, function in _IMAGES.items():
        images.define(schema)
        images.impl(schema.partition("(")[0], function, "CompositeExplicitAutograd")
    _declared.extend((boxes, images))


def announce_images() -> None:
    """Tell an imported torchvision that it can read and write images."""
    importlib.import_module("torchvision.io.image").__dict__["_has_image_ops"] = lambda: True


def _read_file(filename: str) -> torch.Tensor:
    return torch.frombuffer(bytearray(Path(filename).read_bytes()), dtype=torch.uint8)


def _write_file(filename: str, data: torch.Tensor) -> torch.Tensor:
    Path(filename).write_bytes(data.numpy().tobytes())
    return torch.empty(0)


def _decode(data: torch.Tensor, mode: int = 0, apply_exif_orientation: bool = False) -> torch.Tensor:
    """Decode an image to [channels, height, width] of 8 bits. Raises RuntimeError, as torchvision does."""
    import numpy as np
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data.numpy().tobytes())) as image:
            if mode == _MODES.index("L") and image.format == "JPEG":
                image.draft("L", image.size)  # the file's own brightness
            turned = ImageOps.exif_transpose(image) if apply_exif_orientation else image
            plain = turned.mode if turned.mode in _MODES else "RGB"
            pixels = np.array(turned.convert(_MODES[mode] or plain))
    except OSError as error:
        raise RuntimeError(f"The image cannot be decoded: {error}") from error
    return torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1)).permute(2, 0, 1).contiguous()


def _encode(image: torch.Tensor, form: str, **options: Any) -> torch.Tensor:
    from PIL import Image

    pixels = image.permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(file, form, **options)
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)


def _encode_png(image: torch.Tensor, compression_level: int) -> torch.Tensor:
    return _encode(image, "PNG", compress_level=compression_level)


def _encode_jpeg(image: torch.Tensor, quality: int) -> torch.Tensor:
    return _encode(image, "JPEG", quality=quality)


_IMAGES = {
    "read_file(str filename) -> Tensor": _read_file,
    "write_file(str filename, Tensor data) -> Tensor": _write_file,
    "decode_image(Tensor data, int mode, bool apply_exif_orientation=False) -> Tensor": _decode,
    "decode_png(Tensor data, int mode, bool apply_exif_orientation=False) -> Tensor": _decode,
    "decode_jpeg(Tensor data, int mode, bool apply_exif_orientation=False) -> Tensor": _decode,
    "decode_webp(Tensor data, int mode) -> Tensor": _decode,
    "encode_png(Tensor image, int compression_level) -> Tensor": _encode_png,
    "encode_jpeg(Tensor image, int quality) -> Tensor": _encode_jpeg,
}
