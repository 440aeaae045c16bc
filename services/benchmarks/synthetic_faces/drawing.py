"""Draws one image of one subject: the layers from back to front, then light, focus and grain."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from services.benchmarks.synthetic_faces import features, head
from services.benchmarks.synthetic_faces.pen import Pen
from services.benchmarks.synthetic_faces.population import InventedPerson
from services.benchmarks.synthetic_faces.views import View, view_of

__all__ = ["SIDE", "SMALL_SIDE", "portrait", "small"]

SIDE, SMALL_SIDE = 96, 32
OVERSAMPLING = 3
ACROSS = np.linspace(-1, 1, SIDE, dtype=np.float32)


def portrait(seed: int, subject: InventedPerson, image: int) -> Image.Image:
    """Draw image `image` (1, 2, …) of a subject: RGB, 96x96. The same arguments give the same pixels."""
    view = view_of(seed, subject.number, image)
    canvas = Image.new("RGB", (SIDE * OVERSAMPLING, SIDE * OVERSAMPLING))
    pen = Pen(canvas, view)
    head.backdrop(pen, subject, view)
    head.hair_behind(pen, subject)
    head.shoulders(pen, subject)
    head.skull(pen, subject)
    head.ageing(pen, subject, view)
    features.beard(pen, subject, view)
    features.nose(pen, subject, view)
    features.mouth(pen, subject, view)
    features.eyes(pen, subject, view)
    head.hair_in_front(pen, subject)
    features.glasses(pen, subject, view)
    return _photograph(canvas.reduce(OVERSAMPLING), view)


def small(image: Image.Image) -> Image.Image:
    """Resize a portrait to 32x32, bilinear with antialiasing."""
    return image.resize((SMALL_SIDE, SMALL_SIDE), Image.Resampling.BILINEAR)


def _photograph(image: Image.Image, view: View) -> Image.Image:
    if view.blur > 0.2:
        image = image.filter(ImageFilter.GaussianBlur(view.blur))
    pixels: NDArray[np.float32] = np.asarray(image, dtype=np.float32)
    light = view.gain + view.slope_x * ACROSS[None, :, None] + view.slope_y * ACROSS[:, None, None]
    tint = np.array((1 + view.warmth, 1.0, 1 - view.warmth), dtype=np.float32)
    rng = np.random.default_rng(view.grain_seed)
    grain = rng.standard_normal(pixels.shape, dtype=np.float32) * np.float32(view.grain)
    return Image.fromarray(np.clip(pixels * light * tint + grain + 0.5, 0, 255).astype(np.uint8))
