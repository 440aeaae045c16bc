"""Where an entry loses forgetting quality: per forget example and per label, beside a second oracle.

It is computed only for phases whose data are public. Epsilons and points are those of the 2023 competition, whatever
the phase ranks by, so that an example's points mean the same everywhere.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.core.bundle.directory import Bundle
from services.core.models.losses import ExampleLoss, LabelLoss, LossesForm
from services.core.store.blobs import Blobs
from services.scorer.metrics import Evidence, Sides, epsilons, points_of

__all__ = ["Losses", "find_losses"]

MOST = 48  # examples that are kept, those that are told apart most
COLOURS = (1, 3)  # channels of what a picture can be made of
DIGITS = 6

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Losses:
    """Losses of an evaluation, and PNG pictures of the examples that are kept, by index; no pictures of other data."""

    form: LossesForm
    pictures: dict[int, bytes]

    def keep(self, blobs: Blobs) -> LossesForm:
        """Store the pictures as blobs, and name them in the form."""
        stored = {example: blobs.put(picture) for example, picture in self.pictures.items()}
        examples = [one.model_copy(update={"picture": stored.get(one.example)}) for one in self.form.examples]
        return self.form.model_copy(update={"examples": examples})


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """Epsilon and points of each forget example, [S] each, against the oracle."""

    epsilons: Array
    points: Array

    @classmethod
    def of(cls, mine: Array, oracle: Array) -> "_Side":
        found = epsilons(mine, oracle)
        return cls(found, points_of(found, min(len(mine), len(oracle))))


def find_losses(evidence: Evidence, bundle: Bundle) -> Losses:
    """Compare each forget example with the oracle, and with what a second oracle gets there."""
    sides, second = Sides.of(evidence), evidence.second_oracle
    mine, retrained = _Side.of(sides.unlearned, sides.oracle), None
    if second is not None and sides.second is not None:
        theirs, oracle = sides.second, sides.oracle
        key = ("losses", len(oracle))
        retrained = second.once(key, lambda: _Side.of(theirs, oracle))  # once for a benchmark
    chosen = _told_apart_most(mine, retrained)
    labels = np.asarray(evidence.forget_labels)
    form = LossesForm(
        examples=[_example(one, labels, evidence.subjects, mine, retrained) for one in chosen],
        total=len(labels),
        quality=_rounded(mine.points.mean()),
        retrained_quality=None if retrained is None else _rounded(retrained.points.mean()),
        labels=_by_label(labels, mine, retrained),
    )
    return Losses(form, _pictures(bundle, chosen))


def _told_apart_most(mine: _Side, retrained: _Side | None) -> list[int]:
    """Order examples by how much more they are told apart than a retrained model's; the earlier first if equal."""
    beyond = mine.epsilons if retrained is None else mine.epsilons - retrained.epsilons
    found: list[int] = np.argsort(-beyond, kind="stable")[:MOST].tolist()
    return found


def _example(one: int, labels: Array, subjects: Array | None, mine: _Side, retrained: _Side | None) -> ExampleLoss:
    return ExampleLoss(
        example=one,
        label=int(labels[one]),
        subject=None if subjects is None else int(subjects[one]),
        epsilon=_rounded(mine.epsilons[one]),
        quality=_rounded(mine.points[one]),
        retrained_epsilon=None if retrained is None else _rounded(retrained.epsilons[one]),
        retrained_quality=None if retrained is None else _rounded(retrained.points[one]),
        picture=None,
    )


def _by_label(labels: Array, mine: _Side, retrained: _Side | None) -> list[LabelLoss]:
    rows = [
        LabelLoss(
            label=int(label),
            examples=int(here.sum()),
            quality=_rounded(mine.points[here].mean()),
            retrained_quality=None if retrained is None else _rounded(retrained.points[here].mean()),
        )
        for label in np.unique(labels)
        for here in [labels == label]
    ]
    return sorted(rows, key=lambda row: (row.quality - (row.retrained_quality or 0.0), row.label))


def _pictures(bundle: Bundle, chosen: Sequence[int]) -> dict[int, bytes]:
    """Draw examples of a benchmark of images; draw none of any other."""
    shape = bundle.manifest.input_shape
    if len(shape) != 3 or shape[0] not in COLOURS:
        return {}
    images = bundle.arrays("public/forget.safetensors")["image"]
    if images.dtype != np.uint8:
        low, high = float(images.min()), float(images.max())
        images = (images[list(chosen)] - low) * (255 / max(high - low, 1e-12))
        return {one: _png(image.round().astype(np.uint8)) for one, image in zip(chosen, images, strict=True)}
    return {one: _png(images[one]) for one in chosen}


def _png(image: Array) -> bytes:
    """Write an image, uint8 [channels, height, width], as PNG."""
    from matplotlib.image import imsave

    out = io.BytesIO()
    if len(image) == 1:
        imsave(out, image[0], format="png", cmap="gray", vmin=0, vmax=255)
    else:
        imsave(out, np.ascontiguousarray(image.transpose(1, 2, 0)), format="png")
    return out.getvalue()


def _rounded(value: Any) -> float:
    return round(float(value), DIGITS)
