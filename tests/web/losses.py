"""Losses by forget example as the scorer keeps them, with pictures of digits."""

import io
from math import exp

from PIL import Image
from sklearn.datasets import load_digits

from services.core.models.losses import ExampleLoss, LabelLoss, LossesForm
from services.core.store.blobs import Blobs

__all__ = ["losses"]

KEPT, TOTAL, LABELS = 24, 60, 10


def losses(blobs: Blobs) -> LossesForm:
    """Make up losses that shrink from one example to the next."""
    digits = load_digits()
    return LossesForm(
        examples=[
            ExampleLoss(
                example=(7 * number) % TOTAL,
                label=int(digits.target[number]),
                subject=None,
                epsilon=0.4 + 5.6 * exp(-number / 8),
                quality=2.0 ** -int(2 * (0.4 + 5.6 * exp(-number / 8))),
                retrained_epsilon=0.3 + 0.01 * number,
                retrained_quality=1.0 if number < 20 else 0.5,
                picture=blobs.put(_png(digits.images[number] * 15.9)),
            )
            for number in range(KEPT)
        ],
        total=TOTAL,
        quality=0.31,
        retrained_quality=0.72,
        labels=[
            LabelLoss(label=label, examples=TOTAL // LABELS, quality=0.1 + label / 25, retrained_quality=0.72)
            for label in range(LABELS)
        ],
    )


def _png(image: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(image).convert("L").save(out, format="PNG")
    return out.getvalue()
