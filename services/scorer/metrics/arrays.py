"""Checks the arrays given to a metric, and defines the error for invalid ones."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BadArray", "check_finite", "check_labels", "check_shape", "pair_confidences"]

FARTHEST = 1e6  # confidences lie within +-103.6; with 100 thresholds per unit, a far larger range would never finish


class BadArray(ValueError):
    """An array is not valid input for a metric; `axis` and `index` name the place, if it is a single one."""

    def __init__(self, message: str, *, axis: int | None = None, index: int | None = None) -> None:
        super().__init__(message)
        self.axis = axis
        self.index = index


def check_shape(array: NDArray[Any], name: str, axes: tuple[str, ...]) -> None:
    """Raise BadArray unless `array` contains real numbers on exactly these axes, none of them empty."""
    if not isinstance(array, np.ndarray):
        raise BadArray(f"{name} is a {type(array).__name__}; expected an array [{', '.join(axes)}].")
    if array.ndim != len(axes):
        raise BadArray(
            f"{name} has {array.ndim} axes, {list(array.shape)}; expected {len(axes)}: [{', '.join(axes)}].",
            axis=min(array.ndim, len(axes)),
        )
    if 0 in array.shape:
        axis = array.shape.index(0)
        raise BadArray(f"{name} is empty on axis {axis} ({axes[axis]}); expected at least one.", axis=axis, index=0)
    if array.dtype.kind not in "fiu":
        raise BadArray(f"{name} has dtype {array.dtype}; expected real numbers.")


def check_finite(array: NDArray[Any], name: str, axes: tuple[str, ...]) -> None:
    """Raise BadArray at the first NaN or infinity, naming its position on every axis; `axes[0]` names the model."""
    finite = np.isfinite(array)
    if finite.all():
        return
    position = [int(at) for at in np.unravel_index(int(np.argmin(finite)), array.shape)]
    place = ", ".join(f"{axis} {at}" for axis, at in zip(axes, position, strict=True))
    raise BadArray(
        f"{name} is {array[tuple(position)]} at {place} (axis 0, index {position[0]}); every value must be finite.",
        axis=0,
        index=position[0],
    )


def check_labels(labels: NDArray[Any], examples: int, classes: int) -> None:
    """Raise BadArray unless `labels` contains one class number in 0 .. classes - 1 per example."""
    check_shape(labels, "labels", ("example",))
    if labels.dtype.kind not in "iu":
        raise BadArray(f"labels has dtype {labels.dtype}; expected whole numbers.", axis=0)
    if len(labels) != examples:
        raise BadArray(
            f"labels has {len(labels)} examples on axis 0, but the logits have {examples} on axis 1.",
            axis=0,
            index=min(len(labels), examples),
        )
    wrong = (labels < 0) | (labels >= classes)
    if wrong.any():
        index = int(np.argmax(wrong))
        raise BadArray(
            f"labels is {int(labels[index])} on axis 0, index {index}; expected 0 to {classes - 1}.",
            axis=0,
            index=index,
        )


def pair_confidences(
    unlearned: NDArray[Any], retrained: NDArray[Any], *, names: tuple[str, str] = ("unlearned", "retrained")
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both sides [models, examples] as float64, or raise BadArray if no epsilon can be computed from them."""
    sides = []
    for name, array in zip(names, (unlearned, retrained), strict=True):
        check_shape(array, name, ("model", "example"))
        check_finite(array, name, ("model", "example"))
        side = np.asarray(array, dtype=np.float64)
        if np.abs(side).max() > FARTHEST:
            model = int(np.argmax(np.abs(side).max(axis=1)))
            raise BadArray(
                f"{name} has values beyond +-{FARTHEST:g} on axis 0, index {model}; pass logit-scaled confidences.",
                axis=0,
                index=model,
            )
        sides.append(side)
    examples = [side.shape[1] for side in sides]
    if examples[0] != examples[1]:
        raise BadArray(
            f"{names[0]} has {examples[0]} examples on axis 1, but {names[1]} has {examples[1]}; "
            "both sides must have the same forget set.",
            axis=1,
            index=min(examples),
        )
    return sides[0], sides[1]
